"""What a lab has on this computer.

Its record, keys, switch, and the machines' folders.
"""

from __future__ import annotations

import threading
from ipaddress import IPv4Interface
from pathlib import Path

from clusterlab.build.machine_image import MachineImage, expected_image, machine_image
from clusterlab.machines.keys import LabKeys
from clusterlab.machines.record import Record
from clusterlab.machines.state import LabState
from clusterlab.model.inventory import Inventory
from clusterlab.progress import Progress
from clusterlab.remote.target import Target

from .accelerator import accelerator
from .kind import QemuSettings
from .lan import Lan
from .launch import MachineSize, MachineSpec
from .machine import Machine
from .seed import MTU, Identity, mac_address


class LabFiles:
    """Everything of one lab by its name and inventory, whether it exists yet or not."""

    def __init__(self, lab: str, inventory: Inventory, folder: Path) -> None:
        self.lab = lab
        self.inventory = inventory
        self.settings = inventory.section(QemuSettings)
        self.state = LabState(lab)
        self.keys = LabKeys(self.state.folder, lab)
        self.lan = Lan(self.state.folder)
        self.machines = {host: Machine(host, self.state.host_folder(host)) for host in inventory.hosts}
        self._folder = folder.absolute()  # other commands read it from elsewhere
        self._writing = threading.Lock()

    @property
    def ports(self) -> dict[str, int]:
        """The loopback port of each machine's SSH, as far as they were started."""
        record = self.state.read()
        return dict(record.ports) if record else {}

    def write_record(self, ports: dict[str, int]) -> None:
        """Remember the inventory and `ports`, in addition to those that are known."""
        with self._writing:
            known = {host: port for host, port in {**self.ports, **ports}.items() if host in self.machines}
            self.state.write(Record.of(self.inventory, self._folder, known))

    def size(self, host: str) -> MachineSize:
        own, lab = self.inventory.hosts[host], self.settings
        return MachineSize(own.memory or lab.memory, own.cpus or lab.cpus)

    def address(self, host: str) -> str:
        """The host's address with the length of the network's prefix."""
        return f"{self.inventory.hosts[host].address}/{self.inventory.network.subnet.prefixlen}"

    def build_images(self, progress: Progress) -> None:
        """Make the images of the hosts' releases, those that the cache does not have."""
        for release in dict.fromkeys(map(self.inventory.release_of, self.inventory.hosts)):
            machine_image(release, self.settings.disk, progress)

    def image(self, host: str) -> MachineImage:
        """What the host's machine starts from, whether it is made yet or not."""
        return expected_image(self.inventory.release_of(host), self.settings.disk)

    def spec(self, host: str) -> MachineSpec:
        """The host's machine on the port that it had before, if any."""
        return MachineSpec(
            name=f"clusterlab/{self.lab}/{host}",
            folder=self.machines[host].folder,
            image=self.image(host),
            size=self.size(host),
            accelerator=accelerator(),
            mac=mac_address(self.lab, host),
            port=self.ports.get(host),
            lan=self.lan.sockets,
        )

    def identity(self, host: str) -> Identity:
        """A new identity for the host's machine."""
        return Identity.fresh(
            self.lab,
            host,
            IPv4Interface(self.address(host)),
            {name: str(other.address) for name, other in self.inventory.hosts.items()},
            self.keys.host(host),
            self.keys.user_public,
            engine=host in self.inventory.docker_hosts,
            mtu=self.inventory.network.mtu or MTU,
        )

    def target(self, host: str, port: int) -> Target:
        return Target(
            name=host,
            address="127.0.0.1",
            port=port,
            user="root",
            key=self.keys.user,
            known_hosts=(self.keys.known_hosts,),
            alias=self.keys.alias(host),
            trust_hint="clusterlab made this machine's host key: something else answers at its port; run down, then up",
        )
