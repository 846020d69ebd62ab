"""What `explain` says to type, typed on virtual machines: the plays that need what namespaces often cannot do."""

from __future__ import annotations

from pathlib import Path

import pytest

from clusterlab.machines.qemu.lab import QemuMachines
from clusterlab.manual.lesson import lesson
from clusterlab.model import load_lab
from clusterlab.plan.apply import apply
from clusterlab.plan.clean import clean, left_over
from clusterlab.plan.graph import carry_out
from clusterlab.plan.provision import provision
from clusterlab.progress import Silent
from clusterlab.remote import Hosts
from tests.support.check_cases import PLAYBOOKS
from tests.support.manual_typing import Typist


@pytest.mark.parametrize(
    "play", ["volumes/nfs", "volumes/concurrency", "volumes/block", "networks/overlay", "networks/service"]
)
def test_typed_manually_every_statement_holds_and_apply_finds_nothing_to_do(
    machines: QemuMachines, inventory: Path, play: str, tmp_path: Path
) -> None:
    wanted = load_lab(inventory, [play], PLAYBOOKS)
    one = lesson(wanted, play, str(inventory), Silent())
    with Hosts(machines.targets()) as hosts:
        assert carry_out(provision(wanted, hosts), Silent()).ok
        typist = Typist(hosts, tmp_path)
        try:
            assert typist.type(one.parts) == {}
            assert [str(change.key) for change in apply(wanted, hosts)] == []
        finally:
            assert carry_out(clean(wanted.name, hosts, delete_data=True), Silent()).ok
        assert left_over(wanted.name, hosts) == []
