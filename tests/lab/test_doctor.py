"""Codes of doctor that engines in namespaces cannot have, caused on virtual machines.

Each is named on the right node, with nothing else, and gone when it is undone.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from clusterlab.machines.qemu.lab import QemuMachines
from clusterlab.model import Lab
from tests.support.doctor_cases import compare, parameters, ways
from tests.support.doctor_machines import doctor_lab, furnished, settle
from tests.support.doctor_swarm import examined, steps
from tests.support.labs import EngineLab

CASES = parameters("machines")


@pytest.fixture(scope="module")
def up(machines: QemuMachines, lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineLab]:
    with furnished(doctor_lab(lab, tmp_path_factory.mktemp("doctor")), machines) as up:
        yield up


@pytest.mark.parametrize(("path", "at"), CASES)
def test_broken(up: EngineLab, path: Path, at: int) -> None:
    way = ways(path, "machines")[at]
    try:
        steps(up, way["break"])
        compare(path.stem, way, examined(up))
    finally:
        steps(up, way["heal"])
        settle(up)
