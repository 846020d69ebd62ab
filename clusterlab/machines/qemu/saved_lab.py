"""The lab as it was saved once it was provisioned: saving it, and starting the next one there."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from functools import partial
from pathlib import Path

import clusterlab
from clusterlab.errors import ClusterlabError
from clusterlab.files import write_atomically
from clusterlab.machines.saved_labs import SavedFolder, prune, write_record
from clusterlab.model.base import size_bytes
from clusterlab.progress import Progress, Task
from clusterlab.remote import Hosts
from clusterlab.remote.target import Target

from .accelerator import accelerator
from .clocks import set_clocks_of
from .files import LabFiles
from .loading import load_all
from .machine import Machine
from .processes import end, processes_in
from .saving import FILES, copy, full_disk, save_all
from .snapshot_record import SnapshotRecord
from .up import remove_surplus, start_lan

_MACHINES, _HOSTS, _KEYS = "machines.json", "hosts", "keys"
_UNRELATED = {"images", "allow_actions", "allow_faults", "shared", "ssh"}
"""Keys of an inventory that say nothing to machines which clusterlab creates, nor to what provision does there."""
_CODE = ("machines", "model", "plan", "resources")
"""Packages that decide what machines and provision are like; a checkout changes without its version."""
_SPARE = 2 << 30
"""Bytes that saving a lab leaves free on the disk."""
_LOADS_WITHIN = 300.0
"""Seconds; a boot may take longer, but what is saved need not boot."""


class QemuSavedLab:
    """The saved state of one lab of virtual machines; see `clusterlab.machines.saved_labs.SavedLab`."""

    def __init__(self, files: LabFiles) -> None:
        self._files = files
        self._saved = SavedFolder(files.lab)

    @property
    def is_new(self) -> bool:
        hosts = self._files.state.host_folder("any").parent
        return not hosts.exists() or not any(Machine(path.name, path).is_made for path in hosts.iterdir())

    @property
    def fits(self) -> bool:
        saved = self._saved
        return saved.exists and not saved.damage() and not saved.differences(definition(self._files))

    def start(self, progress: Progress) -> dict[str, Target]:
        with self._files.state.lock("up"):
            if not self.is_new or not self._saved.exists:
                return {}
            if damage := self._saved.damage():
                self.discard(damage, progress)
                return {}
            if changed := self._saved.differences(definition(self._files)):
                what = f"{', '.join(changed)} changed since then"
                progress.say(self._files.lab, f"its saved state is not used, because {what}: starting from the image")
                return {}
            try:
                self._load(progress)
            except (ClusterlabError, OSError) as error:
                self.discard("; ".join(str(error).splitlines()), progress)
                return {}
            ports = self._files.ports
            return {host: self._files.target(host, ports[host]) for host in self._files.machines}

    def discard(self, reason: str, progress: Progress) -> None:
        with self._files.state.lock("up"):
            progress.say(
                self._files.lab, f"its saved state cannot be used and is removed ({reason}): starting from the image"
            )
            end(process for process in processes_in(self._files.state.folder) if process.machine)
            for machine in self._files.machines.values():
                machine.remove()
            self._remove_keys()
            self._saved.remove()

    def set_clocks(self, hosts: Hosts) -> None:
        set_clocks_of(hosts)
        for machine in self._files.machines.values():
            machine.mark_made()

    def save(self, hosts: Hosts, progress: Progress) -> None:
        with self._files.state.lock("save"):
            try:
                self._require_room()
                with progress.task(self._files.lab, "saving it as provisioned") as task:
                    self._write(hosts, task)
                prune(self._files.lab)
            except OSError as error:
                raise full_disk(self._files.state.folder) or ClusterlabError(str(error)) from error

    def _write(self, hosts: Hosts, task: Task) -> None:
        with self._saved.replaced() as folder:
            states = folder / _HOSTS
            states.mkdir(mode=0o700)
            record = save_all(self._files, states, task, partial(set_clocks_of, hosts))
            write_atomically(folder / _MACHINES, record.model_dump_json(indent=2) + "\n")
            shutil.copytree(self._files.keys.folder, folder / _KEYS)
            write_record(folder, definition(self._files), record.bases)

    def _require_room(self) -> None:
        """Raise ClusterlabError when the disk could become full: at worst, memory takes all of its size."""
        machines = self._files.machines.items()
        memory = sum(size_bytes(self._files.size(host).memory) for host, _ in machines)
        disks = sum((machine.folder / name).stat().st_blocks * 512 for _, machine in machines for name in FILES)
        free = shutil.disk_usage(self._files.state.folder).free
        if free < memory + disks + _SPARE:
            needed, there = ((size + (1 << 30) - 1) >> 30 for size in (memory + disks + _SPARE, free))
            raise ClusterlabError(f"it could take {needed} GiB, and {there} GiB of the disk are free")

    def _load(self, progress: Progress) -> None:
        files, folder = self._files, self._saved.path
        record = SnapshotRecord.read(folder / _MACHINES)
        deadline = time.monotonic() + min(files.settings.boot_timeout, _LOADS_WITHIN)
        files.build_images(progress)
        with progress.task(files.lab, "starting it as it was saved when it was provisioned") as task:
            self._saved.use()
            files.write_record({})
            self._remove_keys()
            shutil.copytree(folder / _KEYS, files.keys.folder)
            remove_surplus(files, progress)
            start_lan(files, progress)
            task.update("copying its disks")
            for host, machine in files.machines.items():
                machine.make_folder()
                for name in FILES:
                    copy(folder / _HOSTS / host / name, machine.folder / name)
            load_all(files, folder / _HOSTS, record, task, deadline)

    def _remove_keys(self) -> None:
        """Remove what keys there are: no machine has them."""
        if self._files.keys.folder.exists():
            shutil.rmtree(self._files.keys.folder)


def definition(files: LabFiles) -> dict[str, str]:
    """What the machines of a lab, and what provision makes of them, depend on; by what people call it."""
    inventory = files.inventory.model_dump(mode="json", by_alias=True, exclude=_UNRELATED)
    return {
        "the inventory": _digest(json.dumps(inventory, sort_keys=True)),
        "the machine image": " ".join(sorted({files.image(host).folder.name for host in files.machines})),
        "QEMU or the processor": _digest(accelerator().fingerprint),
        "clusterlab": _code(),
    }


def _code() -> str:
    package = Path(clusterlab.__file__).parent
    files = (file for name in _CODE for file in sorted((package / name).rglob("*.py")))
    return _digest("\0".join(file.read_text() for file in files))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
