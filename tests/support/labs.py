"""Labs of real engines in namespaces, for tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_network

from clusterlab.machines import Machines, open_machines
from clusterlab.model.inventory import Inventory
from clusterlab.model.lab import Lab
from clusterlab.progress import Silent
from clusterlab.remote import Hosts
from clusterlab.resources import swarm_actions


@dataclass(frozen=True)
class EngineLab:
    """A lab that is up, and its connections."""

    lab: Lab
    machines: Machines
    hosts: Hosts


@contextmanager
def lab_up(lab: Lab) -> Iterator[EngineLab]:
    """The lab is up inside the block, and gone after it."""
    machines = open_machines(lab)
    try:
        machines.up(Silent())
        with Hosts(machines.targets()) as hosts:
            yield EngineLab(lab, machines, hosts)
    finally:
        machines.down(Silent())


@contextmanager
def lab_in_swarm(lab: Lab) -> Iterator[EngineLab]:
    """As `lab_up`, with host1 and host2 in a Swarm, host1 its manager."""
    with lab_up(lab) as up:
        addresses = {name: str(host.address) for name, host in lab.inventory.hosts.items()}
        swarm_actions.init(
            swarm_actions.Wanted(up.hosts["host1"], "manager", addresses["host1"]), lab.name, lab.inventory.swarm
        )
        worker = swarm_actions.Wanted(up.hosts["host2"], "worker", addresses["host2"])
        swarm_actions.join(worker, lab.name, up.hosts["host1"])
        yield up


@contextmanager
def exporting(subnet: str) -> Iterator[Hosts]:
    """A host `gw` with exportfs(8), whether or not its kernel serves NFS."""
    lab = namespaces_lab(f"exports-{os.getpid()}", subnet, docker_hosts=0)
    lab.inventory.hosts["gw"].roles.append("nfs_server")  # its file system can be exported then
    with lab_up(lab) as up:
        yield up.hosts


def namespaces_lab(name: str, subnet: str, docker_hosts: int = 2, managers: int = 1, **more: object) -> Lab:
    """A lab with gw (without a role) and Docker hosts host1, host2, ..., the first of them managers of a Swarm."""
    addresses = list(ip_network(subnet).hosts())
    hosts: dict[str, object] = {"gw": {"address": str(addresses[0])}}
    for number in range(1, docker_hosts + 1):
        swarm_role = "swarm_manager" if number <= managers else "swarm_worker"
        hosts[f"host{number}"] = {"address": str(addresses[9 + number]), "roles": ["docker", swarm_role]}
    inventory = {"lab": name, "machines": "namespaces", "network": {"subnet": subnet}, "hosts": hosts, **more}
    return Lab(Inventory.model_validate(inventory))
