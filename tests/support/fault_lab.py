"""Virtual machines with what faults break.

An NFS server with clients, a disk over iSCSI, and a service.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from clusterlab.machines import Machines, open_machines
from clusterlab.model import Lab, load_lab
from clusterlab.plan.apply import apply
from clusterlab.plan.clean import clean
from clusterlab.plan.graph import carry_out
from clusterlab.plan.provision import provision
from clusterlab.progress import Silent
from clusterlab.remote import Hosts

from .fault_cases import with_service
from .labs import EngineLab

_ROUNDS = 3
"""On a busy computer the first start of everything may take another round."""
_PLAY: dict[str, Any] = {
    "title": "What faults break",
    "disks": {"disk": {"host": "host1", "lun": "disk1", "filesystem": "xfs"}},
    "volumes": {
        "block": {"hosts": "host1", "driver_opts": {"type": "xfs", "device": "disk:disk"}},
        "shares": {
            "driver_opts": {"type": "nfs", "o": "addr=${hosts.gw.address},rw,nfsvers=4.2", "device": ":/shares"}
        },
    },
    "containers": {
        "keeper": {
            "host": "host1",
            "image": "shell",
            "command": ["sleep", "infinity"],
            "volumes": ["block:/data", "shares:/shares"],
        },
        "client": {"host": "host2", "image": "shell", "command": ["sleep", "infinity"], "volumes": ["shares:/shares"]},
    },
}


def fault_lab(name: str, subnet: str, folder: Path) -> Lab:
    """The lab, in files of a folder; `subnet` is its first three numbers."""
    hosts = {
        "gw": {"address": f"{subnet}.1", "roles": ["nfs_server", "iscsi_target"]},
        "host1": {"address": f"{subnet}.11", "roles": ["docker", "swarm_manager"]},
        "host2": {"address": f"{subnet}.12", "roles": ["docker", "swarm_worker"]},
    }
    options = ["rw", "sync", "no_subtree_check", "no_root_squash"]
    inventory = {
        "lab": name,
        "machines": "qemu",
        "network": {"subnet": f"{subnet}.0/24"},
        "hosts": hosts,
        "nfs": {"exports": [{"path": "/shares", "clients": f"{subnet}.0/24", "options": options}]},
        "iscsi": {"luns": [{"name": "disk1", "size": "320M", "host": "host1"}]},
        "images": {"shell": {"build": "busybox"}},
    }
    (folder / "inventory.yml").write_text(yaml.safe_dump(inventory))
    (folder / "faults.yml").write_text(yaml.safe_dump(_PLAY))
    return load_lab(folder / "inventory.yml", ["faults"], folder)


@contextmanager
def furnished(lab: Lab, machines: Machines) -> Iterator[EngineLab]:
    """The lab with all of that inside the block.

    What `apply` created is gone after it.
    """
    with Hosts(machines.targets()) as hosts:
        for _ in range(_ROUNDS):
            report = carry_out(provision(lab, hosts), Silent())
            if report.ok:
                break
        report = carry_out(apply(lab, hosts), Silent())
        assert report.ok, (report.failed, report.blocked)
        up = EngineLab(lab, machines, hosts)
        with_service(up)
        try:
            yield up
        finally:
            hosts["host1"].run("docker service rm sleeper", check=True)
            cleaned = carry_out(clean(lab.name, hosts), Silent())
            assert cleaned.ok, (cleaned.failed, cleaned.blocked)


@contextmanager
def virtual_machines(name: str, folder: Path) -> Iterator[EngineLab]:
    """Such a lab of its own inside the block."""
    lab = fault_lab(name, "10.67.0", folder)
    machines = open_machines(lab)
    try:
        machines.up(Silent())
        with furnished(lab, machines) as up:
            yield up
    finally:
        machines.down(Silent())
