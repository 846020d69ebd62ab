"""Faults of exports with exportfs(8) of a real host, whether or not its kernel serves them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import cast

import pytest

from clusterlab.faults.dead_man import folder
from clusterlab.faults.nfs import EXPORT_RO, UNEXPORT, ExportParameters, Unexport
from clusterlab.faults.scene import Scene
from clusterlab.remote import Host
from tests.support.labs import lab_up, namespaces_lab

pytestmark = pytest.mark.engine
SHARES = ExportParameters.model_validate({"host": "gw", "path": "/shares"})


@pytest.fixture(scope="module")
def server() -> Iterator[Host]:
    lab = namespaces_lab(f"exports-{os.getpid()}", "10.76.0.0/24", docker_hosts=0)
    lab.inventory.hosts["gw"].roles.append("nfs_server")  # its file system can be exported then
    with lab_up(lab) as up:
        yield up.hosts["gw"]


def in_force(server: Host) -> dict[str, str]:
    """The options of each export."""
    lines = server.run("cat /var/lib/nfs/etab", check=True).stdout.splitlines()
    return {name: options for name, _, options in (line.partition("(") for line in lines)}


@pytest.mark.parametrize("kind", [UNEXPORT, EXPORT_RO], ids=lambda kind: kind.name)
def test_just_what_the_fault_changed_is_restored(server: Host, kind: Unexport) -> None:
    """Not what an administrator ended, and what somebody made manually stays, as the export itself may be."""
    server.run(
        f"mkdir -p {folder('FAULT_ID')} /shares /ended /kept; : >/root/a-file; exportfs -ua; "
        "echo '/ended 10.1.0.0/16(ro)' >/etc/exports; exportfs -a && exportfs -u 10.1.0.0/16:/ended && "
        "exportfs -o ro 10.2.0.0/16:/kept && exportfs -o rw,fsid=7,crossmnt '*:/shares' && "
        "exportfs -o rw,async,no_root_squash 10.0.0.0/24:/shares '[fd00::]/64:/shares'",
        check=True,
    )
    before = in_force(server)
    assert sum(name.startswith("/shares\t") for name in before) == 3
    (part,) = kind.parts(SHARES, cast(Scene, None))
    server.run(part.inject, check=True)
    broken = in_force(server)
    assert {name for name in broken.keys() | before if broken.get(name) != before.get(name)} == {
        name for name in before if name.startswith("/shares\t")
    }
    server.run(part.heal, check=True)
    assert in_force(server) == before
    server.run("exportfs -u 10.0.0.0/24:/shares", check=True)
    server.run(part.heal, check=True)
    assert in_force(server).keys() == before.keys() - {"/shares\t10.0.0.0/24"}
