"""Every kind of check both ways, against real engines: cases/*.yml, see tests/support/check_cases.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from clusterlab.checks import run_checks
from clusterlab.checks.kinds import KINDS
from clusterlab.progress import Silent
from clusterlab.results import Result
from tests.support.check_cases import Rig, broken, case_files, case_parameters, compare, load_case, read_case

pytestmark = pytest.mark.engine

CASES = Path(__file__).parent / "cases"


def seen(kind: str) -> Iterator[str]:
    """The outcomes that cases expect of checks of a kind."""
    for case in map(read_case, case_files(CASES)):
        expected = {item["check"]: item.get("outcome", "pass") for item in case.get("expect", [])}
        checks = case["play"]["checks"] if isinstance(case["play"], dict) else []
        for check in checks:
            if kind in check and ("others" not in case or check["title"] in expected):
                yield expected.get(check["title"], "pass")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_cases_both_ways(kind: str) -> None:
    assert {"pass", "fail"} <= set(seen(kind))


@pytest.mark.parametrize("path", case_parameters(CASES), ids=lambda path: path.stem)
def test_case(rig: Rig, path: Path, tmp_path: Path) -> None:
    case = read_case(path)
    lab = load_case(case, rig.inventory, tmp_path)
    told: list[Result] = []
    with rig.made(lab), broken(case, rig.hosts):
        results = run_checks(lab, rig.hosts, rig.unsupported, told.append, Silent())
    (play,) = lab.plays.values()
    assert [result.check for result in results] == [check.title for check in play.checks]
    assert sorted(told, key=results.index) == results
    compare(case, results)
