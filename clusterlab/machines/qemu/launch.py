"""QEMU for one machine.

Its command line, its disk and its start, booting or as a clone of a saved machine.
"""

from __future__ import annotations

import shlex
import threading
from dataclasses import dataclass
from pathlib import Path

from clusterlab.build.machine_image import MachineImage
from clusterlab.errors import ClusterlabError
from clusterlab.programs import run_program
from clusterlab.waiting import seconds_left, wait_until

from .accelerator import BINARY, Accelerator
from .console import tail
from .qmp import Monitor, monitor
from .seed import GROWN

KERNEL_OPTIONS = (
    "console=ttyS0 net.ifnames=0 panic=-1 quiet systemd.show_status=1 "
    "mitigations=off audit=0 cryptomgr.notests tsc=reliable no_timer_check"
)
_RUN_SECONDS = 60.0


@dataclass(frozen=True)
class MachineSize:
    """What a machine has of this computer.

    A saved machine serves only machines of its own size.
    """

    memory: str
    cpus: int


@dataclass(frozen=True)
class Memory:
    """Guest memory of its own in QEMU.

    A file, shared while a machine is saved to it, private to each clone of it.

    Without a file it is plain memory that only has the same name, as the state of a clone wants it.
    """

    file: Path | None = None
    shared: bool = False


@dataclass(frozen=True)
class MachineSpec:
    """One machine: its name, the folder with its files, and what it is plugged into."""

    name: str
    folder: Path
    image: MachineImage
    size: MachineSize
    accelerator: Accelerator
    mac: str
    port: int | None = None  # on loopback, forwarded to the machine's SSH
    lan: Path | None = None  # the switch's folder
    memory: Memory | None = None
    incoming: bool = False  # start with nothing running, and wait for a saved machine's state

    @property
    def disk(self) -> Path:
        return self.folder / "disk.qcow2"

    @property
    def seed(self) -> Path:
        return self.folder / "seed.img"

    @property
    def console(self) -> Path:
        """What the machine wrote on its serial console."""
        return self.folder / "console.log"

    @property
    def log(self) -> Path:
        """What QEMU had to say."""
        return self.folder / "qemu.log"


def command_line(spec: MachineSpec) -> list[str]:
    """QEMU's command line, to be run in the machine's folder.

    A socket's path is limited, so it is relative to it.

    Saved machines and their clones must have the same devices in the same order; so all machines have.
    """
    forward = f",hostfwd=tcp:127.0.0.1:{spec.port}-:22" if spec.port else ""
    return [
        BINARY,
        *("-name", spec.name),
        *("-D", str(spec.log)),
        *("-nodefaults", "-no-user-config", "-display", "none"),
        *("-accel", spec.accelerator.accel, "-cpu", spec.accelerator.cpu, "-smp", str(spec.size.cpus)),
        *_memory(spec),
        *("-kernel", str(spec.image.kernel), "-initrd", str(spec.image.initrd), "-append", _kernel_options(spec)),
        *("-chardev", f"file,id=console,path={_escaped(spec.console)},append=on", "-serial", "chardev:console"),
        *("-qmp", "unix:qmp,server=on,wait=off"),
        *_disk("disk", spec.disk, "qcow2", "discard=unmap"),
        *_disk("seed", spec.seed, "raw"),
        *("-netdev", f"user,id=nat,ipv6=off{forward}", "-device", "virtio-net-pci,netdev=nat,romfile="),
        *_lan(spec),
        *("-device", "virtio-rng-pci"),
        *("-device", "vmgenid,guid=auto"),  # a clone's kernel notices that it is one, and reseeds its random numbers
        *(("-incoming", "defer") if spec.incoming else ()),
    ]


def _kernel_options(spec: MachineSpec) -> str:
    return f"{KERNEL_OPTIONS} {spec.accelerator.kernel}".rstrip()


def _memory(spec: MachineSpec) -> list[str]:
    if not spec.memory:
        return ["-machine", "q35", "-m", spec.size.memory]
    backend = f"memory-backend-ram,id=memory,size={spec.size.memory}"
    if spec.memory.file:
        share = "on" if spec.memory.shared else "off"
        backend = (
            f"memory-backend-file,id=memory,size={spec.size.memory},mem-path={_escaped(spec.memory.file)},share={share}"
        )
    return ["-object", backend, "-machine", "q35,memory-backend=memory", "-m", spec.size.memory]


def _disk(name: str, file: Path, form: str, *options: str) -> list[str]:
    # cache=unsafe: what is written survives QEMU but not this computer, which is right for what can be recreated
    drive = ",".join(["if=none", f"id={name}", f"file={_escaped(file)}", f"format={form}", "cache=unsafe", *options])
    return ["-drive", drive, "-device", f"virtio-blk-pci,drive={name}"]


def _lan(spec: MachineSpec) -> list[str]:
    if not spec.lan:  # the machine that is saved: a card that is plugged in nowhere
        return ["-device", f"virtio-net-pci,mac={spec.mac},romfile="]
    netdev = f"vde,id=lan,sock={_escaped(spec.lan)}"
    return ["-netdev", netdev, "-device", f"virtio-net-pci,netdev=lan,mac={spec.mac},romfile="]


def _escaped(path: Path) -> str:
    """A path inside an option of QEMU, where a comma separates and two stand for one."""
    return str(path).replace(",", ",,")


class PortTaken(ClusterlabError):
    """Somebody else took the port between its choice and QEMU's start."""


def make_disk(spec: MachineSpec, backing: Path, form: str) -> None:
    """Make the machine's disk, which holds what differs from `backing`."""
    command = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", form, "-b", str(backing), str(spec.disk)]
    _run(command, spec.folder, f"{spec.name}: its disk could not be created")


def start(spec: MachineSpec) -> None:
    """Start the machine's QEMU in the background; it outlives this process.

    Raises PortTaken when its port is no longer free, ClusterlabError with QEMU's message for everything else.
    """
    spec.log.unlink(missing_ok=True)
    (spec.folder / "qmp").unlink(missing_ok=True)
    try:
        _run([*command_line(spec), "-daemonize"], spec.folder, f"{spec.name}: QEMU did not start", spec.log)
    except ClusterlabError as error:
        if "host forwarding rule" in error.detail:
            raise PortTaken(f"port {spec.port} was taken by another program", detail=error.detail) from error
        raise


def load(spec: MachineSpec, state: Path, stop: threading.Event, deadline: float) -> None:
    """Load a saved machine into the waiting QEMU of a clone, and let it run.

    It then notices its own seed disk.
    """
    try:
        with monitor(spec.folder, timeout=60.0) as qemu:
            leave_file_memory_out(qemu)
            qemu.execute("migrate-incoming", uri=f"exec:exec cat < {shlex.quote(str(state))}")
            loaded = lambda: qemu.execute("query-status")["status"] != "inmigrate"  # noqa: E731
            wait_until(loaded, "QEMU to load the saved machine", seconds_left(deadline), subject=spec.name, stop=stop)
            qemu.execute("cont")
            qemu.execute("block_resize", device="seed", size=GROWN)
    except OSError as error:
        raise ClusterlabError(
            f"{spec.name}: QEMU ended while it loaded the saved machine", detail=f"{error}\n{tail(spec.log)}"
        ) from error


def leave_file_memory_out(qemu: Monitor) -> None:
    """Save or load a machine's state without its memory.

    The memory is in a separate file.
    """
    qemu.execute("migrate-set-capabilities", capabilities=[{"capability": "x-ignore-shared", "state": True}])


def _run(command: list[str], folder: Path, failure: str, log: Path | None = None) -> None:
    """Run a command that ends soon, in a session of its own.

    Ctrl-C does not reach what it leaves running.
    """
    done = run_program(command, _RUN_SECONDS, cwd=folder)
    if done.exit != 0:
        words = "\n".join(part for part in (done.stderr.strip(), tail(log).strip() if log else "") if part)
        raise ClusterlabError(failure, remedy="see its output; is there enough disk space?", detail=words)
