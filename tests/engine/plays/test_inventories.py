"""The lessons on inventories of other shapes: a gateway that runs containers, and hosts with other names.

What one host alone proves runs on these hosts as on any others, so only lessons are here that name several hosts, the
nodes of the Swarm, or the last host.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from clusterlab.results import Outcome
from tests.support.check_cases import told
from tests.support.play_bench import Stand, provisioned

pytestmark = pytest.mark.engine
INVENTORIES = Path(__file__).parents[2] / "support" / "inventories"
PLAYS = [
    "networks/bridge-default",
    "networks/host",
    "networks/isolation",
    "networks/none",
    "networks/overlay",
    "networks/ports",
    "networks/service",
    "volumes/local",
    "volumes/nfs",
]


@pytest.fixture(scope="module", params=["home", "names"])
def stand(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with provisioned(INVENTORIES / f"{request.param}.yml", tmp_path_factory.mktemp(request.param)) as stand:
        yield stand


def test_lessons_pass_and_the_second_apply_changes_nothing(stand: Stand) -> None:
    first = stand.apply(PLAYS)
    assert first.ok, (first.failed, first.blocked)
    results = stand.check(PLAYS)
    wrong = [one for one in results if one.outcome not in (Outcome.PASS, Outcome.UNSUPPORTED)]
    assert not wrong, "\n".join(f"{one.play}: {one.check}\n{told(one)}" for one in wrong)
    passed = {one.play for one in results if one.outcome is Outcome.PASS}
    assert set(PLAYS) - passed <= {"volumes/nfs"}
    again = stand.apply(PLAYS)
    assert again.ok, (again.failed, again.blocked)
    assert [str(done.change.key) for done in again.done] == []
