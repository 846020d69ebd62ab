"""The kind `vagrant`: what it declares, and its section of the inventory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from clusterlab.machines.base import BaseImages, MachineKind, Machines
from clusterlab.model.base import Duration, Issue, Model, Size

if TYPE_CHECKING:
    from clusterlab.model.inventory import Inventory
    from clusterlab.model.lab import Lab


class VagrantSettings(Model):
    """The machines of a vagrant lab; a host's own memory and cpus take precedence.

    Vagrant/Vagrantfile reads it too.
    """

    provider: Literal["libvirt", "virtualbox"] = Field(default="libvirt", description="what runs the virtual machines")
    box: str | None = Field(
        default=None,
        description="a public box; without it, the one that `clusterlab box` builds (libvirt only)",
        examples=["debian/bookworm64"],
    )
    box_version: str | None = Field(default=None, description="which versions of it, as Vagrant writes it: '~> 12.0'")
    memory: Size = Field(default="1G", examples=["512M", "2G"])
    cpus: int = Field(default=1, ge=1)
    disk: Size | None = Field(default=None, description="size of the disk in the box that is built; default: 8G")
    boot_timeout: Duration = Field(default=900.0, description="how long a machine may take until it answers")
    folder: Annotated[Path, Field(strict=False)] | None = Field(
        default=None,
        description="the folder with the Vagrantfile, relative to the inventory; default: clusterlab's own",
    )

    def issues(self) -> Iterator[Issue]:
        if self.box is None and self.provider != "libvirt":
            remedy = "Name a public one: box: debian/bookworm64"
            yield Issue(("provider",), f"there is no box for {self.provider}: clusterlab builds it for libvirt", remedy)
        if self.box is not None and not re.fullmatch(r"[\w.-]+/[\w.-]+", self.box):
            yield Issue(("box",), f"'{self.box}' is not the name of a box", "Write it like debian/bookworm64.")
        if self.box is None and self.box_version is not None:
            remedy = "Leave it out: clusterlab uses the box that it built last."
            yield Issue(("box_version",), "'box_version' is for a box that is named with box", remedy, key=True)
        if self.box is not None and self.disk is not None:
            remedy = "Leave it out: a public box has a disk of its own size."
            yield Issue(("disk",), "'disk' is for the box that clusterlab builds", remedy, key=True)
        if self.boot_timeout < 1:
            yield Issue(("boot_timeout",), "no machine answers within that", "Write 15m, for example.")


def _issues(inventory: Inventory, folder: Path) -> Iterator[Issue]:
    named = inventory.section(VagrantSettings).folder
    if named is not None and not (file := folder / named.expanduser() / "Vagrantfile").is_file():
        remedy = f"It was looked for at {file}. Without `folder`, clusterlab's own is used."
        yield Issue(("vagrant", "folder"), f"there is no Vagrantfile in '{named}'", remedy)


def _open(lab: Lab) -> Machines:
    from .lab import VagrantMachines

    return VagrantMachines(lab)


def _boxes(lab: Lab) -> BaseImages:
    from .boxes import Boxes

    return Boxes(lab)


VAGRANT = MachineKind(
    name="vagrant",
    summary="virtual machines that Vagrant creates with libvirt or VirtualBox",
    open=_open,
    settings=VagrantSettings,
    reads={"qemu": frozenset({"release"})},
    abilities=frozenset({"clock", "disk", "memory", "delay", "init"}),
    unable=dict.fromkeys(("unplug", "power", "pause", "reset", "throttle"), "Vagrant has no command for that"),
    host_keys=frozenset({"memory", "cpus"}),
    issues=_issues,
    base_images=_boxes,
)
