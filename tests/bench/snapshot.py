"""Saving and restoring three hosts: python -m tests.bench.snapshot [ROUNDS] (default: 3).

Their engines run and form no Swarm: what is measured is machines, not the cluster. For each round, seconds for the
snapshot (the machines stand still for nearly all of it), then, with all machines killed, until all answer over SSH with
their clocks set, and until all engines answer through it.
"""

from __future__ import annotations

import os
import sys
import time

from clusterlab.errors import ClusterlabError
from clusterlab.machines.qemu.accelerator import accelerator
from clusterlab.machines.qemu.lab import QemuMachines
from clusterlab.machines.qemu.processes import end, processes_in
from clusterlab.machines.state import LabState
from clusterlab.model.inventory import Inventory
from clusterlab.model.lab import Lab
from clusterlab.progress import Silent
from clusterlab.remote import Hosts

LAB = "bench-snapshot"
BUDGET = 15.0  # seconds until engines answer, on two quiet processors


def main(rounds: int) -> None:
    hosts = {f"host{n}": {"address": f"192.168.93.{n}", "roles": ["docker"]} for n in (1, 2, 3)}
    inventory = {"lab": LAB, "machines": "qemu", "network": {"subnet": "192.168.93.0/24"}, "hosts": hosts}
    machines = QemuMachines(Lab(inventory=Inventory.model_validate(inventory)))
    machines.down(Silent())
    try:
        machines.up(Silent())
        ask_engines(machines)
        print(f"{os.cpu_count()} processors, {accelerator().name}; to beat: {BUDGET:.0f} s until engines answer")
        print(f"{'save':>7}  {'size':>7}  {'SSH':>7}  {'engines':>7}  load before")
        for number in range(rounds):
            measure(machines, f"round{number}")
    finally:
        machines.down(Silent())


def measure(machines: QemuMachines, name: str) -> None:
    began = time.monotonic()
    machines.snapshots.take(name, Silent())
    save = time.monotonic() - began
    size = sum(one.size for one in machines.snapshots.known() if one.name == name)
    end(processes_in(LabState(LAB).folder))
    load = os.getloadavg()[0]
    began = time.monotonic()
    machines.snapshots.restore(name, Silent())
    ssh = time.monotonic() - began
    ask_engines(machines)
    engines = time.monotonic() - began
    machines.snapshots.remove(name)
    print(f"{save:>5.1f} s  {size / 1e6:>4.0f} MB  {ssh:>5.1f} s  {engines:>5.1f} s  {load:.1f}", flush=True)


def ask_engines(machines: QemuMachines) -> None:
    """An engine that does not answer is an error."""
    with Hosts(machines.targets()) as hosts:
        for answer in hosts.each(list(hosts), lambda host: str(host.docker.info()["ID"])).values():
            if isinstance(answer, ClusterlabError):
                raise answer


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
