"""Hosts in namespaces from outside: their cable, their power, and the freezer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from clusterlab.errors import ClusterlabError
from clusterlab.machines.outside import Operation

from . import cgroups
from .host import NamespacesHost
from .lan import running_switch


@dataclass(frozen=True)
class NamespacesOutside:
    """The hosts of one lab; see `clusterlab.machines.outside.Outside`.

    `up` starts those that do not run.
    """

    hosts: Mapping[str, NamespacesHost]
    lab_folder: Path
    up: Callable[[], None]

    def carry_out(self, host: str, operation: Operation, value: int = 0) -> None:
        one = self.hosts[host]
        match operation:
            case "unplug" | "plug":
                switch = running_switch(self.lab_folder)
                if switch is None:
                    raise ClusterlabError("the LAN between the hosts is gone", remedy="run up")
                one.set_link(switch.pid, operation == "plug")
            case "power_off":
                one.stop()  # the page cache is this computer's, so nothing that was written is lost
            case "power_on":
                self.up()  # also for one that runs: what started it may have been killed before it was plugged in
            case "pause" | "resume":
                cgroups.freeze(one.cgroup, operation == "pause")
            case "reset":
                one.stop()
                self.up()
            case "throttle" | "unthrottle":
                raise ClusterlabError(f"{host}: hosts in namespaces store on the disk of this computer")

    def state(self, host: str) -> Literal["running", "paused", "off"]:
        one = self.hosts[host]
        if one.pid is None:
            return "off"
        return "paused" if cgroups.is_frozen(one.cgroup) else "running"
