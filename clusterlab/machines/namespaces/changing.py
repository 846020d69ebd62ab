"""Hosts in namespaces that become others while their lab is up.

A host gets another release as the same files over another root file system, after a stop and a start: its engine then
is another version and has the data of before, as after an upgrade of the package.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from clusterlab.errors import HostError
from clusterlab.machines.changing import Part, Values
from clusterlab.machines.failed_up import os_errors
from clusterlab.machines.keys import LabKeys
from clusterlab.machines.record import Record
from clusterlab.machines.state import LabState
from clusterlab.model.inventory import Inventory
from clusterlab.progress import Progress

from .host import NamespacesHost
from .lan import ensure_switch


@dataclass(frozen=True)
class NamespacesChanging:
    """The hosts of one lab; see `clusterlab.machines.changing.Changing`.

    `tree` is the root file system of a release.
    """

    inventory: Inventory
    hosts: Mapping[str, NamespacesHost]
    state: LabState
    keys: LabKeys
    tree: Callable[[str, Progress], Path]

    def differences(self, host: str) -> Mapping[Part, Values]:
        one, release = self.hosts[host], self.inventory.release_of(host)
        found = self._record(host).inventory.release_of(host) if one.pid is not None else "not running"
        if found != release:
            return {"release": Values(release, found)}
        return {"mtu": Values(str(one.wanted_mtu), str(one.mtu))} if one.mtu != one.wanted_mtu else {}

    def change(self, host: str, progress: Progress) -> None:
        """See `Changing`; a host that does not start again is started by `up`, with any release."""
        one = self.hosts[host]
        with self.state.lock("rehearse"), os_errors(host):
            record, release = self._record(host), self.inventory.release_of(host)
            switch = ensure_switch(self.state.folder, record.ports)
            if "release" not in self.differences(host):
                self.state.write(self._with(record, host))
                one.set_mtu(switch.pid)
                return
            if release != record.inventory.release_of(host) and "nfs_server" in self.inventory.hosts[host].roles:
                raise HostError(
                    host,
                    "a host in namespaces that serves files keeps its release: their handles belong to it",
                    remedy="Leave its `release` as it is.",
                )
            tree = self.tree(release, progress)
            with progress.task(host, f"starting it as {release}"):
                one.stop()
                self.state.write(self._with(record, host))  # not before: what runs is never recorded as another release
                one.start(tree, self.keys)
                one.plug_in(switch.pid)
                one.wait_until_ready(switch.ports[host], Event())

    def _record(self, host: str) -> Record:
        record = self.state.read()
        if record is None or host not in record.inventory.hosts:
            raise HostError(host, "it is not up", remedy="clusterlab up")
        return record

    def _with(self, record: Record, host: str) -> Record:
        """The record with this host, and the network, as the inventory has them."""
        before = record.inventory
        changed = before.hosts[host].model_copy(update={"release": self.inventory.release_of(host)})
        hosts = {**before.hosts, host: changed}
        inventory = before.model_copy(update={"hosts": hosts, "network": self.inventory.network})
        return record.model_copy(update={"inventory": inventory})
