"""QEMU's command line for one machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from clusterlab.build.machine_image import MachineImage

from .accelerator import BINARY, Accelerator

KERNEL_OPTIONS = (
    "console=ttyS0 net.ifnames=0 panic=-1 quiet systemd.show_status=1 "
    "mitigations=off audit=0 cryptomgr.notests tsc=reliable no_timer_check"
)


@dataclass(frozen=True)
class Size:
    """What a machine has of this computer. A saved machine serves only machines of its own size."""

    memory: str
    cpus: int


@dataclass(frozen=True)
class Memory:
    """Guest memory of its own in QEMU: a file, shared while a machine is saved to it, private to each clone of it.

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
    size: Size
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
    """QEMU's command line, to be run in the machine's folder: a socket's path is limited, so it is relative to it.

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
        *("-kernel", str(spec.image.kernel), "-initrd", str(spec.image.initrd), "-append", KERNEL_OPTIONS),
        *("-chardev", f"file,id=console,path={_escaped(spec.console)},append=on", "-serial", "chardev:console"),
        *("-qmp", "unix:qmp,server=on,wait=off"),
        *_disk("disk", spec.disk, "qcow2", "discard=unmap"),
        *_disk("seed", spec.seed, "raw"),
        *("-netdev", f"user,id=nat,ipv6=off{forward}", "-device", "virtio-net-pci,netdev=nat,romfile="),
        *_lan(spec),
        *("-device", "virtio-rng-pci"),
        *("-device", "vmgenid,guid=auto"),  # a clone's kernel notices that it is one, and seeds its random numbers anew
        *(("-incoming", "defer") if spec.incoming else ()),
    ]


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
    # cache=unsafe: what is written survives QEMU but not this computer, which is right for what can be made again
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
