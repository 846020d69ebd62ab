"""Which findings of doctor are named beside a statement that failed."""

from __future__ import annotations

import pytest

from clusterlab.pipeline.diagnosed import _concerns, failures
from clusterlab.results import Outcome
from tests.support.nightly_runs import result


@pytest.mark.parametrize(
    ("found", "asked", "concerns"),
    [
        ([], ["host1"], True),  # of the whole cluster
        (["host1"], ["host1", "host2"], True),
        (["host2"], ["host1"], False),
        (["host2", "host1", "host3"], ["host1", "host2"], True),  # between two hosts of the statement
        (["host2", "host1", "host3"], ["host3"], False),
        (["host2", "host1"], [], False),
    ],
)
def test_a_finding_concerns_a_statement_on_its_hosts(found: list[str], asked: list[str], concerns: bool) -> None:
    assert _concerns(found, asked) is concerns


def test_what_has_a_cause_or_passed_is_not_examined() -> None:
    assert failures([result(Outcome.PASS), result(Outcome.BLOCKED), result(Outcome.UNSUPPORTED)]) == []
    assert len(failures([result(Outcome.FAIL), result(Outcome.ERROR), result(Outcome.PASS)])) == 2
