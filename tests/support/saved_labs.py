"""Saved labs of a computer that need not have QEMU."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from clusterlab.machines.file_identity import identity
from clusterlab.machines.qemu import saved_lab
from clusterlab.machines.qemu.accelerator import Accelerator
from clusterlab.machines.qemu.files import LabFiles
from clusterlab.machines.saved_labs import SavedFolder, write_record
from clusterlab.model.inventory import Inventory
from clusterlab.progress import Silent

INVENTORY: dict[str, Any] = {
    "lab": "one",
    "machines": "qemu",
    "network": {"subnet": "192.168.96.0/24"},
    "hosts": {
        "gw": {"address": "192.168.96.1", "roles": ["nfs_server"]},
        "host1": {"address": "192.168.96.11", "roles": ["docker", "swarm_manager"]},
    },
}


class Told(Silent):
    """What was said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, subject: str, text: str) -> None:
        self.said.append(f"{subject}: {text}")


def pretend_computer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A computer with QEMU, and with images that need not be built."""
    accelerator = Accelerator("emulation", "tcg", "max", "QEMU 7.2 tcg")
    monkeypatch.setattr(saved_lab, "accelerator", lambda: accelerator)
    monkeypatch.setattr(LabFiles, "build_images", lambda *_: None)


def changed(**keys: Any) -> LabFiles:
    inventory = Inventory.model_validate({**INVENTORY, **keys})
    return LabFiles(inventory.lab, inventory, Path("/"))


def hosts(**keys: Any) -> dict[str, Any]:
    return {**INVENTORY["hosts"], **keys}


def save(name: str = "one", *bases: Path, of: Mapping[str, str] = MappingProxyType({})) -> SavedFolder:
    saved = SavedFolder(name)
    with saved.replaced() as folder:
        (folder / "state").write_bytes(b"memory")
        write_record(folder, of, {base: found for base in bases if (found := identity(base))})
    return saved
