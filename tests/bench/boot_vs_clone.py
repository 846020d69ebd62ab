"""Booting machines against cloning them: python -m tests.bench.boot_vs_clone [HOSTS ...] (default: 1 3).

For each number of hosts and each way: seconds until all answer over SSH, until all engines answer through it, and for
`down`. Image and saved machine are made before; their seconds are next to nothing when they were in the cache.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import TypeVar

from clusterlab.build.machine_image import machine_image
from clusterlab.errors import ClusterlabError
from clusterlab.machines.qemu.accelerator import accelerator
from clusterlab.machines.qemu.kind import QemuSettings
from clusterlab.machines.qemu.lab import QemuMachines
from clusterlab.machines.qemu.launch import MachineSize
from clusterlab.machines.qemu.saved_machine import saved_machine
from clusterlab.model.inventory import Inventory
from clusterlab.model.lab import Lab
from clusterlab.progress import Silent
from clusterlab.remote import Hosts

T = TypeVar("T")


def main(numbers: list[int]) -> None:
    print(f"{os.cpu_count()} processors, {accelerator().name}, load {os.getloadavg()[0]:.1f}")
    prepare(lab_of(1).inventory)
    print(f"{'hosts':>5}  {'way':<6}  {'SSH':>7}  {'engines':>7}  {'down':>6}")
    for number in numbers:
        for way in ("boot", "clone"):
            ssh, engines, down = measure(lab_of(number), clones=way == "clone")
            print(f"{number:>5}  {way:<6}  {ssh:>5.1f} s  {engines:>5.1f} s  {down:>4.1f} s", flush=True)


def lab_of(number: int) -> Lab:
    hosts = {f"host{n}": {"address": f"192.168.93.{n}", "roles": ["docker"]} for n in range(1, number + 1)}
    inventory = {"lab": "bench-clones", "machines": "qemu", "network": {"subnet": "192.168.93.0/24"}, "hosts": hosts}
    return Lab(inventory=Inventory.model_validate(inventory))


def prepare(inventory: Inventory) -> None:
    qemu = inventory.section(QemuSettings)
    seconds, image = timed(lambda: machine_image(qemu.release, qemu.disk, Silent()))
    print(f"image: {seconds:.1f} s")
    size = MachineSize(qemu.memory, qemu.cpus)
    seconds, _ = timed(lambda: saved_machine(image, size, accelerator(), qemu.boot_timeout, Silent()))
    print(f"saved machine: {seconds:.1f} s")


def measure(lab: Lab, *, clones: bool) -> tuple[float, float, float]:
    """Seconds from nothing to SSH, and to engines, and from there to nothing."""
    machines = QemuMachines(lab, clones=clones)
    machines.down(Silent())
    try:
        began = time.monotonic()
        machines.up(Silent())
        ssh = time.monotonic() - began
        with Hosts(machines.targets()) as hosts:
            for answer in hosts.each(list(hosts), lambda host: str(host.docker.info()["ID"])).values():
                if isinstance(answer, ClusterlabError):
                    raise answer
        engines = time.monotonic() - began
    finally:
        down, _ = timed(lambda: machines.down(Silent()))
    return ssh, engines, down


def timed(function: Callable[[], T]) -> tuple[float, T]:
    began = time.monotonic()
    result = function()
    return time.monotonic() - began, result


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or [1, 3])
