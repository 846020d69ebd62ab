"""The stack of the lesson stacks/shop: sound, and broken in the ways of broken/*.yml, see tests/support/check_cases.py.

Each way is found by the statements that follow from the stack's files. NFS and the ingress are tried in tests/lab.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from clusterlab.results import Outcome, Result
from tests.support.check_cases import broken, case_parameters, compare, read_case, told
from tests.support.play_bench import Stand, stand_up
from tests.support.shop import BROKEN, PLAY, shop_with

pytestmark = pytest.mark.engine

WITHIN = 3.0
VIRTUAL = "at its virtual address"  # these need IPVS, which namespaces may lack


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    playbooks = shop_with(tmp_path_factory.mktemp("shop"), "updates.yml", "namespaces.yml")
    with stand_up(tmp_path_factory.mktemp("lab"), playbooks) as stand:
        yield stand


def applied(stand: Stand) -> None:
    report = stand.apply([PLAY])
    assert report.ok, (report.failed, report.blocked)


def results(stand: Stand, titles: frozenset[str], within: float | None) -> list[Result]:
    """What comes of the statements with these titles; without any, of all that this kernel can have."""
    found = stand.check([PLAY], titles, within)
    return [one for one in found if one.outcome is not Outcome.UNSUPPORTED and VIRTUAL not in one.check]


def test_the_sound_shop_passes(stand: Stand) -> None:
    applied(stand)
    found = results(stand, frozenset(), None)
    wrong = [one for one in found if one.outcome is not Outcome.PASS]
    assert not wrong, "\n".join(f"{one.check}\n{told(one)}" for one in wrong)
    assert {one.kind for one in found} >= {
        "bind_source", "published", "service_apart", "service_names", "service_reach", "service_spec", "task_file",
        "task_mount", "tasks",
    }  # fmt: skip


@pytest.mark.parametrize("path", case_parameters(BROKEN), ids=lambda path: path.stem)
def test_what_is_broken_is_named(stand: Stand, path: Path) -> None:
    applied(stand)
    case = read_case(path)
    with broken(case, stand.hosts):
        compare(case, results(stand, _titles(case), WITHIN))


def _titles(case: Mapping[str, Any]) -> frozenset[str]:
    """The checks that a case says something of; none for all."""
    return frozenset(item["check"] for item in case["expect"]) if "others" in case else frozenset()
