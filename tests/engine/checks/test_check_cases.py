"""Every kind of check both ways, against real engines: cases/*.yml, see tests/check_cases.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from check_cases import Rig, broken, case_parameters, compare, load_case, read_case

from clusterlab.checks import run_checks
from clusterlab.checks.result import Result
from clusterlab.progress import Silent

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("path", case_parameters(Path(__file__).parent / "cases"), ids=lambda path: path.stem)
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
