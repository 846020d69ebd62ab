"""The box that clusterlab builds, in Vagrant's collection: adding it, and removing it with libvirt's copies."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from clusterlab.build.vagrant_box import Box, box_name, expected_box, vagrant_box
from clusterlab.errors import ClusterlabError
from clusterlab.model.inventory import Inventory
from clusterlab.progress import Progress

from .events import Event, step
from .libvirt import box_volumes, remove_volume, standing_on
from .program import Vagrant

DISK = "8G"
"""Size of the disk in the box, unless the inventory says another."""


def versions(box: str) -> list[str]:
    """The versions of a box that Vagrant has for libvirt, the oldest first."""
    folder = _home() / "boxes" / box.replace("/", "-VAGRANTSLASH-")
    found = [path.parent.name for path in folder.glob("*/libvirt") if path.is_dir()]
    return sorted(found, key=lambda version: [int(part) for part in version.split(".") if part.isdigit()])


def add_own(vagrant: Vagrant, inventory: Inventory, progress: Progress) -> Box:
    """The box that a lab without a public one uses, built and known to Vagrant, as far as that is not done already."""
    box = vagrant_box(inventory.qemu.release, inventory.vagrant.disk or DISK, progress)
    _add(vagrant, box, progress)
    return box


def _add(vagrant: Vagrant, box: Box, progress: Progress) -> None:
    """Make the box known to Vagrant, which checks its checksum; nothing is done when it has this version."""
    if box.version in versions(box.name):
        return
    with progress.task("box", f"adding {box.name} {box.version} to Vagrant's boxes (once)") as task:

        def tell(event: Event) -> None:
            if text := step(event):
                task.update(text)

        vagrant.run("box", "add", str(box.catalog), "--provider", "libvirt", on_event=tell)
        task.update("removing earlier versions that no machine stands on")
        _prune(vagrant, box)


def _prune(vagrant: Vagrant, box: Box) -> None:
    """Remove earlier versions of the box that no machine stands on, and libvirt's copies of them."""
    vagrant.run("box", "prune", "--name", box.name, "--provider", "libvirt", "--keep-active-boxes", "--force")
    for copy in box_volumes(box.name):
        if not any(f"_{version}_" in copy for version in versions(box.name)) and not standing_on([copy]):
            remove_volume(copy)


def remove_own(vagrant: Vagrant, inventory: Inventory, progress: Progress) -> bool:
    """Remove the box: all versions from Vagrant and libvirt, and what was built; returns whether it was there.

    Raises ClusterlabError while machines still stand on it.
    """
    name = box_name(inventory.qemu.release)
    known, copies, built = versions(name), box_volumes(name), _expected(inventory).folder
    if used := standing_on(copies):
        raise ClusterlabError(
            f"machines stand on the box {name}: libvirt has {', '.join(used)}",
            remedy="remove them first: clusterlab down, or vagrant destroy",
        )
    if not known and not copies and not built.exists():
        return False
    with progress.task("box", f"removing {name}"):
        if known:
            vagrant.run("box", "remove", name, "--provider", "libvirt", "--all", "--force")
        for volume in copies:
            remove_volume(volume)
        shutil.rmtree(built, ignore_errors=True)
    return True


def _expected(inventory: Inventory) -> Box:
    return expected_box(inventory.qemu.release, inventory.vagrant.disk or DISK)


def _home() -> Path:
    said = os.environ.get("VAGRANT_HOME", "")
    return Path(said) if said else Path.home() / ".vagrant.d"
