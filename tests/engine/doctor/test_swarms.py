"""Doctor on a Swarm that lost managers, nodes or its unity: the right code, on the right node, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from clusterlab.waiting import wait_until
from tests.support.doctor_cases import compare, parameters, ways
from tests.support.doctor_swarm import examined, steps, three_managers, unsettled
from tests.support.labs import EngineLab

pytestmark = pytest.mark.engine

CASES = parameters("swarm")


@pytest.fixture(scope="module")
def up() -> Iterator[EngineLab]:
    with three_managers(f"doctor-swarm-{os.getpid()}", "10.68.0.0/24") as lab:
        yield lab


@pytest.mark.parametrize(("path", "at"), CASES)
def test_broken(up: EngineLab, path: Path, at: int) -> None:
    way = ways(path, "swarm")[at]
    try:
        steps(up, way["break"])
        compare(path.stem, way, examined(up, way.get("hosts", ())))
    finally:
        steps(up, way["heal"])
        wait_until(lambda: not unsettled(up), "the Swarm to be as before", 60.0, seen=lambda: unsettled(up))
