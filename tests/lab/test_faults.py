"""Faults that hosts in namespaces cannot have, on virtual machines.

With effect, without, and gone again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from clusterlab.faults import errors
from clusterlab.faults.injection import injected
from clusterlab.faults.record import recorded
from clusterlab.faults.scene import Scene
from clusterlab.machines.qemu.lab import QemuMachines
from clusterlab.model import Lab
from tests.support.fault_cases import QEMU, REMAINS, cases, name, prepared, spec_of
from tests.support.fault_lab import fault_lab, furnished
from tests.support.labs import EngineLab


@pytest.fixture(scope="module")
def up(machines: QemuMachines, lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineLab]:
    folder: Path = tmp_path_factory.mktemp("faults")
    with furnished(fault_lab(lab.name, "192.168.94", folder), machines) as up:
        yield up


@pytest.mark.parametrize("case", cases(QEMU), ids=name)
def test_case(up: EngineLab, case: Mapping[str, Any]) -> None:
    scene, spec = Scene(up.lab, up.hosts), spec_of(case)
    with prepared(case, up.hosts):
        if "error" in case:
            with pytest.raises(getattr(errors, case["error"]), match=case["message"]), injected(spec, scene):
                pass
        else:
            with injected(spec, scene) as fault:
                assert [text for text in case["seen"] if text not in fault.seen] == []
                fault.still()
    assert recorded(up.lab.name) == []
    left = up.hosts.each(up.lab.inventory.hosts, lambda host: host.run(REMAINS).stdout)
    assert set(left.values()) == {""}, left
