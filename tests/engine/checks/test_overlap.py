"""Independent checks overlap: all of them take little longer than the longest."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from clusterlab.checks import run_checks
from clusterlab.progress import Silent
from clusterlab.results import Outcome
from tests.support.check_cases import Rig, load_case

pytestmark = pytest.mark.engine


def test_independent_checks_overlap(rig: Rig, tmp_path: Path) -> None:
    box = {"host": "host1", "image": "shell", "command": ["sleep", "infinity"]}
    checks = [
        {"title": f"waits {n}", "command": {"in": f"box{n % 2}", "run": ["sleep", "3"]}, "within": "20s"}
        for n in range(8)
    ]
    containers = {"box0": box, "box1": {**box, "host": "host2"}}
    lab = load_case({"play": {"title": "overlap", "containers": containers, "checks": checks}}, rig.inventory, tmp_path)
    with rig.made(lab):
        began = time.monotonic()
        results = run_checks(lab, rig.hosts, rig.unsupported, lambda result: None, Silent())
        wall = time.monotonic() - began
    assert {result.outcome for result in results} == {Outcome.PASS}
    assert wall < 1.5 * max(result.seconds for result in results)
