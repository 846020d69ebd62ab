"""What a nightly run states itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

from clusterlab.nightly.hosts import ask_hosts
from clusterlab.nightly.nightly_run import run_verdict
from clusterlab.nightly.second_apply import changes_nothing
from clusterlab.remote import Hosts
from clusterlab.results import Outcome, Result
from tests.support.labs import namespaces_lab


class Answering:
    """Hosts that all answer, whatever they are asked."""

    def each(self, names: Iterable[str], ask: Callable[[Any], object]) -> dict[str, object]:
        return {name: {"kernel": "6.1"} for name in names}


def test_without_a_statement_of_a_play_nothing_is_proven() -> None:
    results, _ = ask_hosts(namespaces_lab("own", "10.75.0.0/24"), cast(Hosts, Answering()))
    results.append(changes_nothing([]))
    assert {one.outcome for one in results} == {Outcome.PASS}
    assert run_verdict(results, []) == "unsupported"
    assert run_verdict([*results, Result("nfs", "is mounted", "mount", Outcome.PASS)], []) == "pass"
