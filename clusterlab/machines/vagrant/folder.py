"""The Vagrantfile, and what Vagrant remembers beside it.

Which machines it made, and with which provider.
"""

from __future__ import annotations

import os
from pathlib import Path

from clusterlab.errors import ClusterlabError
from clusterlab.model.lab import Lab

from .kind import VagrantSettings

OWN = (Path(__file__).parents[2] / "shipped" / "vagrant").resolve()
"""Where clusterlab has its Vagrantfile."""


def vagrant_folder(lab: Lab) -> Path:
    """The folder whose Vagrantfile makes the lab's machines.

    Raises ClusterlabError when there is none.
    """
    said = lab.inventory.section(VagrantSettings).folder
    folder = (lab.folder / said.expanduser()).absolute() if said else OWN
    if not (folder / "Vagrantfile").is_file():
        raise ClusterlabError(
            f"there is no Vagrantfile in {folder}",
            remedy="name a folder that has one in the inventory: vagrant: {folder: PATH}",
        )
    return folder


def machine_name(lab: str, host: str) -> str:
    """What Vagrant calls the machine of a host: several labs are made from one folder."""
    return f"{lab}-{host}"


class MachineIds:
    """The machines that Vagrant created for one lab.

    Read from its own files without running it.
    """

    def __init__(self, folder: Path, lab: str, provider: str) -> None:
        said = os.environ.get("VAGRANT_DOTFILE_PATH", "")
        self._folder = folder / (said or ".vagrant") / "machines"
        self._lab = lab
        self._provider = provider

    def name(self, host: str) -> str:
        """What Vagrant calls the machine of a host."""
        return machine_name(self._lab, host)

    def id(self, host: str) -> str:
        """The machine's id, which no other machine ever has, or "" when Vagrant has none."""
        return self._read(host, self._provider)

    def other_provider(self, host: str) -> str:
        """Another provider with which the host's machine was made, or ""."""
        folder = self._folder / self.name(host)
        providers = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
        return next((one for one in providers if one != self._provider and self._read(host, one)), "")

    def _read(self, host: str, provider: str) -> str:
        try:
            return (self._folder / self.name(host) / provider / "id").read_text().strip()
        except (FileNotFoundError, NotADirectoryError):
            return ""
