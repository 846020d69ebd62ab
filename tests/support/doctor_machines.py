"""Virtual machines with what doctor looks at and engines in namespaces cannot have.

An NFS server with clients on two nodes, a published service, and an overlay.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from clusterlab.machines import Machines
from clusterlab.model import Lab, load_lab
from clusterlab.plan.apply import apply
from clusterlab.plan.clean import clean
from clusterlab.plan.graph import carry_out
from clusterlab.plan.provision import provision
from clusterlab.progress import Silent
from clusterlab.remote import Hosts
from clusterlab.waiting import wait_until

from .doctor_cases import PROPERTIES, told
from .doctor_swarm import examined
from .labs import EngineLab

_ROUNDS = 3
"""On a busy computer the first start of everything may take another round."""
_CLIENTS = {"host1": "keeper", "host2": "client"}
_CLIENT = {
    "image": "shell",
    "command": ["sleep", "infinity"],
    "restart": "always",
    "volumes": ["shop:/data"],
    "networks": {"app": None},
}
_PLAY: dict[str, Any] = {
    "title": "What doctor looks at",
    "volumes": {
        "shop": {
            "driver_opts": {"type": "nfs", "o": "addr=${hosts.gw.address},hard,nfsvers=4.2", "device": ":/shares"}
        },
    },
    "networks": {"app": {"driver": "overlay", "attachable": True}},
    "containers": {name: {"host": host, **_CLIENT} for host, name in _CLIENTS.items()},
}
_SERVICE = (
    "docker service create -q --detach --name web --replicas 2 --no-resolve-image --publish 8080:80 shell sleep 1000000"
)
_TASKS = "docker ps -aq --filter label=com.docker.swarm.service.name=web"


def doctor_lab(lab: Lab, folder: Path) -> Lab:
    """The hosts of a lab with an export and containers for doctor, in files of a folder."""
    inventory = lab.inventory
    options = ["rw", "sync", "no_subtree_check", "no_root_squash"]
    given = {
        "lab": lab.name,
        "machines": "qemu",
        "network": {"subnet": str(inventory.network.subnet)},
        "hosts": {
            name: {"address": str(one.address), "roles": list(one.roles)} for name, one in inventory.hosts.items()
        },
        "nfs": {"exports": [{"path": "/shares", "clients": str(inventory.network.subnet), "options": options}]},
        "images": {"shell": {"build": "busybox"}},
    }
    (folder / "inventory.yml").write_text(yaml.safe_dump(given))
    (folder / "doctor.yml").write_text(yaml.safe_dump(_PLAY))
    return load_lab(folder / "inventory.yml", ["doctor"], folder)


@contextmanager
def furnished(lab: Lab, machines: Machines) -> Iterator[EngineLab]:
    """The lab with all of that, and nothing else of it, inside the block."""
    with Hosts(machines.targets()) as hosts:
        _clean(lab, hosts)
        for _ in range(_ROUNDS):
            report = carry_out(provision(lab, hosts), Silent())
            if report.ok:
                break
        report = carry_out(apply(lab, hosts), Silent())
        assert report.ok, (report.failed, report.blocked)
        for host, name in _CLIENTS.items():
            hosts[host].run(f"docker tag $(docker inspect -f '{{{{.Image}}}}' {name}) shell", check=True, timeout=60)
        hosts["host1"].run(_SERVICE, check=True, timeout=120)
        up = EngineLab(lab, machines, hosts)
        try:
            wait_until(lambda: not _missing(up), "the service", 120.0, seen=lambda: _missing(up))
            yield up
        finally:
            hosts["host1"].run("docker service rm web", check=True)
            wait_until(lambda: not any(hosts[host].run(_TASKS).stdout for host in _CLIENTS), "tasks to end", 60.0)
            for host in _CLIENTS:
                hosts[host].run("docker rmi -f shell", check=True, timeout=60)
            _clean(lab, hosts)


def _clean(lab: Lab, hosts: Hosts) -> None:
    cleaned = carry_out(clean(lab.name, hosts), Silent())
    assert cleaned.ok, (cleaned.failed, cleaned.blocked)


def settle(up: EngineLab) -> None:
    """Wait until the service runs and doctor finds nothing."""
    wait_until(lambda: not unsettled(up), "a sound lab", 90.0, seen=lambda: unsettled(up))


def unsettled(up: EngineLab) -> str:
    """What the lab lacks, or what doctor finds; "" when it is sound."""
    if missing := _missing(up):
        return missing
    return "\n".join(told(one) for one in examined(up).findings if one.code not in PROPERTIES)


def _missing(up: EngineLab) -> str:
    """What does not run of what was created; "" when all does."""
    services = up.hosts["host1"].run("docker service ls --format '{{.Name}} {{.Replicas}}'").stdout.splitlines()
    if services != ["web 2/2"]:
        return f"services are {services}"
    for host, name in _CLIENTS.items():
        if not up.hosts[host].run(f"docker ps -q --filter name=^{name}$").stdout:
            return f"{name} does not run on {host}"
    return ""
