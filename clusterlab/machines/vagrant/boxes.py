"""The box that clusterlab builds, in Vagrant's collection.

Adding it, and removing it with libvirt's copies.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from clusterlab.build.vagrant_box import Box, box_name, expected_box, vagrant_box
from clusterlab.errors import ClusterlabError, UsageError
from clusterlab.machines.state import LabState
from clusterlab.model.lab import Lab
from clusterlab.progress import Progress

from .events import Event, step
from .folder import vagrant_folder
from .kind import VagrantSettings
from .libvirt import box_volumes, remove_volume, standing_on
from .program import Vagrant

DISK = "8G"
"""Size of the disk in the box, unless the inventory gives another."""


class Boxes:
    """The box of a lab without a public one.

    See `clusterlab.machines.base.BaseImages`.
    """

    def __init__(self, lab: Lab) -> None:
        """Raises UsageError for a lab whose inventory names a public box."""
        settings = lab.inventory.section(VagrantSettings)
        if settings.box:
            raise UsageError(
                f"the inventory of lab {lab.name} names the public box {settings.box}",
                remedy="Leave `box` out there to use the one that clusterlab builds.",
            )
        self._release = lab.inventory.release
        self._disk = settings.disk or DISK
        self._vagrant = Vagrant(vagrant_folder(lab), lab.inventory, LabState(lab.name).folder / "vagrant.log")

    def add(self, progress: Progress) -> str:
        """Build the box and add it to Vagrant's boxes, as far as that is not done yet."""
        box = vagrant_box(self._release, self._disk, progress)
        if box.version not in versions(box.name):
            self._add(box, progress)
        return f"{box.name} {box.version} ({box.file})"

    def planned(self, remove: bool) -> str:
        name, built = box_name(self._release), expected_box(self._release, self._disk)
        known = versions(name)
        if remove:
            there = bool(known or built.folder.exists())
            return f"{name} would be removed, from Vagrant and from {built.folder}" if there else "no such box exists"
        if not built.folder.exists():
            return f"{name} would be built in {built.folder} (about a minute), and added to Vagrant's boxes"
        if built.version not in known:
            return f"{name} {built.version} ({built.file}) would be added to Vagrant's boxes"
        return f"{name} {built.version} ({built.file}) already exists"

    def remove(self, progress: Progress) -> bool:
        """Remove the box: all versions from Vagrant and libvirt, and what was built.

        Raises ClusterlabError while a machine's disk is based on it.
        """
        name = box_name(self._release)
        built = expected_box(self._release, self._disk).folder
        known, copies = versions(name), box_volumes(name)
        if used := standing_on(copies):
            raise ClusterlabError(
                f"disks of machines are based on the box {name}: {', '.join(used)} in libvirt",
                remedy="remove those machines first: clusterlab down, or vagrant destroy",
            )
        if not known and not copies and not built.exists():
            return False
        with progress.task("box", f"removing {name}"):
            if known:
                self._vagrant.run("box", "remove", name, "--provider", "libvirt", "--all", "--force")
            for volume in copies:
                remove_volume(volume)
            shutil.rmtree(built, ignore_errors=True)
        return True

    def _add(self, box: Box, progress: Progress) -> None:
        """Make the box known to Vagrant, which verifies its checksum."""
        with progress.task("box", f"adding {box.name} {box.version} to Vagrant's boxes (once)") as task:

            def show(event: Event) -> None:
                if text := step(event):
                    task.update(text)

            self._vagrant.run("box", "add", str(box.catalog), "--provider", "libvirt", on_event=show)
            task.update("removing earlier versions that no machine uses")
            self._prune(box)

    def _prune(self, box: Box) -> None:
        """Remove earlier versions of the box that no machine uses.

        And libvirt's copies of them.
        """
        self._vagrant.run("box", "prune", "--name", box.name, "--provider", "libvirt", "--keep-active-boxes", "--force")
        for copy in box_volumes(box.name):
            if not any(f"_{version}_" in copy for version in versions(box.name)) and not standing_on([copy]):
                remove_volume(copy)


def versions(box: str) -> list[str]:
    """The versions of a box that Vagrant has for libvirt, the oldest first."""
    folder = _home() / "boxes" / box.replace("/", "-VAGRANTSLASH-")
    found = [path.parent.name for path in folder.glob("*/libvirt") if path.is_dir()]
    return sorted(found, key=lambda version: [int(part) for part in version.split(".") if part.isdigit()])


def _home() -> Path:
    given = os.environ.get("VAGRANT_HOME", "")
    return Path(given) if given else Path.home() / ".vagrant.d"
