"""Machines that were booted once and saved.

Others start as clones of them in seconds.
"""

from __future__ import annotations

import ipaddress
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from clusterlab.build.cache import artefact
from clusterlab.build.machine_image import MachineImage
from clusterlab.errors import ClusterlabError
from clusterlab.machines.keys import LabKeys
from clusterlab.progress import Progress
from clusterlab.waiting import wait_until

from .accelerator import Accelerator
from .console import follower, tail
from .launch import MachineSize, MachineSpec, Memory, command_line, leave_file_memory_out, make_disk
from .processes import end, processes_in
from .qmp import monitor
from .seed import Identity, mac_address, write_sealing_seed

_SEALED = "clusterlab: ready to be saved"
_HOST = "saved"


@dataclass(frozen=True)
class SavedMachine:
    """A folder with a machine, saved when its engine had been up and was stopped.

    Nothing in it is written to.
    """

    folder: Path

    @property
    def disk(self) -> Path:
        return self.folder / "disk.qcow2"

    @property
    def memory(self) -> Path:
        """Its memory, as large as the machine's and sparse."""
        return self.folder / "memory"

    @property
    def state(self) -> Path:
        """The state of its devices, in QEMU's migration form."""
        return self.folder / "state"


def saved_machine(
    image: MachineImage, size: MachineSize, how: Accelerator, timeout: float, progress: Progress
) -> SavedMachine:
    """The saved machine of this size, cached once made (it takes one boot).

    Raises ClusterlabError if it can't be.
    """
    sample = _spec(Path("/"), image, size, how)
    material = (image.folder.name, how.fingerprint, *command_line(sample))

    def make(folder: Path) -> None:
        with progress.task("saved machine", f"booting one of {size.memory} once, to clone it from now on") as task:
            end(processes_in(folder.parent))  # of a build that was killed
            folder.mkdir(mode=0o700)
            spec = _spec(folder, image, size, how)
            follow = follower(spec.console, task)
            make_disk(spec, image.disk, "raw")
            write_sealing_seed(spec.seed, _identity(folder.parent))
            with _running(spec) as qemu:

                def sealed() -> bool:
                    follow()
                    if qemu.poll() is not None:
                        raise ClusterlabError("QEMU of the machine to be saved ended", detail=tail(spec.log))
                    return _SEALED in tail(spec.console)

                wait_until(sealed, "the machine to be saved to boot", timeout)
                task.update("saving")
                _save(spec, SavedMachine(folder).state)
            for needless in (spec.seed, folder / "qmp"):
                needless.unlink(missing_ok=True)

    return SavedMachine(artefact("saved-machine", material, "", make, progress))


def _spec(folder: Path, image: MachineImage, size: MachineSize, how: Accelerator) -> MachineSpec:
    return MachineSpec(
        name=f"clusterlab/.saved/{_HOST}",
        folder=folder,
        image=image,
        size=size,
        accelerator=how,
        mac=mac_address(".saved", _HOST),
        memory=Memory(folder / "memory", shared=True),
    )


def _identity(folder: Path) -> Identity:
    """An identity for one boot.

    What could be taken for another's is removed before the machine is saved.
    """
    keys = LabKeys(folder, _HOST)
    address = ipaddress.IPv4Interface("192.0.2.1/32")  # of the range for documentation: nobody's
    return Identity.fresh(_HOST, _HOST, address, {}, keys.host(_HOST), "", engine=True)


@contextmanager
def _running(spec: MachineSpec) -> Iterator[subprocess.Popen[bytes]]:
    """The machine's QEMU as our child, which ends when the block or we end."""
    command = ["setpriv", "--pdeathsig", "KILL", *command_line(spec)]
    # A card that is plugged in only later is a warning, which nobody needs to see.
    with (
        spec.log.open("wb") as log,
        subprocess.Popen(
            command, cwd=spec.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        ) as qemu,
    ):
        try:
            yield qemu
        finally:
            qemu.kill()


def _save(spec: MachineSpec, state: Path) -> None:
    with monitor(spec.folder, timeout=120.0) as qemu:
        qemu.execute("stop")
        leave_file_memory_out(qemu)
        qemu.execute("migrate", uri="exec:exec cat > state")  # QEMU runs in the machine's folder
        saved = lambda: qemu.execute("query-migrate")["status"] in ("completed", "failed")  # noqa: E731
        wait_until(saved, "QEMU to save the machine", 120.0)
        outcome = qemu.execute("query-migrate")
        if outcome["status"] != "completed":
            raise ClusterlabError("QEMU could not save the machine", detail=str(outcome))
        qemu.execute("quit")
