"""The machines, disks and networks of a lab in libvirt itself.

Whatever Vagrant remembers of them.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from clusterlab.errors import ClusterlabError, DeadlineExceeded
from clusterlab.programs import run_program
from clusterlab.progress import Progress

from .errors import explain

POOL = "default"
"""The storage pool that vagrant-libvirt uses by default."""

_SECONDS = 60.0
_EXTRA = re.compile(r"vd[a-z]+\.qcow2")


@dataclass(frozen=True)
class LibvirtObjects:
    """What has a name of the lab in libvirt, by its names there."""

    domains: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.domains or self.volumes or self.networks)

    def commands(self) -> list[str]:
        """The commands that remove it manually."""
        virsh = f"virsh -c {uri()}"
        commands = []
        for name in self.domains:
            commands += [f"{virsh} destroy {name}", f"{virsh} undefine --remove-all-storage {name}"]
        commands += [f"{virsh} vol-delete --pool {POOL} {name}" for name in self.volumes]
        for name in self.networks:
            commands += [f"{virsh} net-destroy {name}", f"{virsh} net-undefine {name}"]
        return commands


def uri() -> str:
    """Where libvirt is; vagrant-libvirt takes it from the same variable."""
    return os.environ.get("LIBVIRT_DEFAULT_URI") or "qemu:///system"


def domain_name(machine: str) -> str:
    """What libvirt calls a machine of Vagrant's; the Vagrantfile says so."""
    return f"clusterlab-{machine}"


def network_name(lab: str) -> str:
    """What libvirt calls a lab's LAN; the Vagrantfile says so."""
    return f"clusterlab-{lab}"


def find(lab: str, machines: Iterable[str]) -> LibvirtObjects:
    """What libvirt has of a lab with these machines (Vagrant's names).

    Raises ClusterlabError when that is unknown.
    """
    domains = {domain_name(machine) for machine in machines}
    volumes = {f"{name}.img" for name in domains}
    return LibvirtObjects(
        tuple(sorted(domains & set(virsh("list", "--all", "--name")))),
        tuple(sorted(one for one in _volumes() if one in volumes or _is_extra(one, domains))),
        tuple(sorted({network_name(lab)} & set(virsh("net-list", "--all", "--name")))),
    )


def make_room(lab: str, machines: Iterable[str], folder: Path, progress: Progress) -> None:
    """Make room for machines that Vagrant does not have.

    Remove disks that no machine has.

    Raises ClusterlabError when machines of these names exist: Vagrant in `folder` does not know them.
    """
    found = find(lab, machines)
    if found.domains:
        raise ClusterlabError(
            f"libvirt already has {', '.join(found.domains)}, which Vagrant in {folder} does not know",
            remedy="if they belong to another clone of clusterlab, rename one of the labs; otherwise remove "
            "them:\n" + "\n".join(LibvirtObjects(found.domains).commands()),
        )
    for volume in found.volumes:
        progress.say(lab, f"the disk {volume} remains from a removed machine: removing it")
        remove_volume(volume)


def remove_rest(lab: str, machines: Iterable[str]) -> None:
    """Remove what Vagrant has left of a lab: disks that no machine has, and its LAN.

    Raises ClusterlabError when there are machines still: Vagrant does not know them, or another clone made them.
    """
    found = find(lab, machines)
    if found.domains:
        raise ClusterlabError(
            f"libvirt has machines of lab {lab} that Vagrant does not know: {', '.join(found.domains)}",
            remedy="if they belong to another clone of clusterlab, run down there; otherwise:\n"
            + "\n".join(found.commands())
            + "\nthen run down again",
        )
    if users := [user for network in found.networks for user in _users(network)]:
        raise ClusterlabError(
            f"libvirt has machines on the network of lab {lab} that are none of its own: {', '.join(users)}",
            remedy="if they belong to another clone of clusterlab, run down there; then run down again here",
        )
    for volume in found.volumes:
        remove_volume(volume)
    active = virsh("net-list", "--name")
    for network in found.networks:
        if network in active:
            virsh("net-destroy", network)
        virsh("net-undefine", network)


def _users(network: str) -> list[str]:
    """The domains that have a card on a network."""
    lines = {domain: virsh("domiflist", domain) for domain in virsh("list", "--all", "--name")}
    return sorted(domain for domain, cards in lines.items() if any(network in card.split() for card in cards))


def collect(domain: str, folder: Path) -> None:
    """Write libvirt's description of a machine, and QEMU's output.

    As far as this user may read it.
    """
    try:
        (folder / "libvirt.xml").write_text("\n".join(virsh("dumpxml", domain)) + "\n")
        shutil.copy(f"/var/log/libvirt/qemu/{domain}.log", folder / "qemu.log")
    except (ClusterlabError, OSError) as error:
        (folder / "not-collected.txt").write_text(f"{error}\n")


def box_volumes(box: str) -> list[str]:
    """Copies of a box that libvirt starts machines from, all versions."""
    prefix = f"{box.replace('/', '-VAGRANTSLASH-')}_vagrant_box_image_"
    return [name for name in _volumes() if name.startswith(prefix)]


def standing_on(volumes: Iterable[str]) -> list[str]:
    """Disks that need one of these to be read, whoever made them."""
    bases = set(volumes)
    found = []
    for name in _volumes() if bases else ():
        description = "\n".join(virsh("vol-dumpxml", "--pool", POOL, name))
        base = re.search(r"<backingStore>\s*<path>(.*?)</path>", description)
        if base and Path(base[1]).name in bases:
            found.append(name)
    return found


def remove_volume(name: str) -> None:
    """Remove a disk that no machine has; raises ClusterlabError."""
    virsh("vol-delete", "--pool", POOL, name)


def virsh(*words: str) -> list[str]:
    """What virsh prints, as lines without empty ones.

    Raises ClusterlabError with the remedy.
    """
    try:
        done = run_program(["virsh", "-q", "-c", uri(), *words], _SECONDS, env={**os.environ, "LC_ALL": "C"})
    except DeadlineExceeded as late:
        raise ClusterlabError(
            f"libvirt ({uri()}) did not answer `virsh {' '.join(words)}` within {_SECONDS:g} s",
            remedy="restart it: sudo systemctl restart libvirtd",
            detail=late.detail,
        ) from late
    except ClusterlabError:
        raise ClusterlabError(
            "virsh is not installed: libvirt's machines cannot be listed",
            remedy="install it: sh setup/system.sh --vagrant (in clusterlab's repository)",
        ) from None
    if done.exit != 0:
        raise explain(f"virsh {' '.join(words)}", "", done.stderr.strip())
    return [line.strip() for line in done.stdout.splitlines() if line.strip()]


def _volumes() -> list[str]:
    """Names of all disks in the pool; none before vagrant-libvirt makes the pool."""
    if POOL not in virsh("pool-list", "--name"):
        return []
    virsh("pool-refresh", POOL)
    return [line.split()[0] for line in virsh("vol-list", "--pool", POOL)]


def _is_extra(volume: str, domains: set[str]) -> bool:
    """Whether it is a disk beside the system's own: NAME-vdb.qcow2."""
    name, _, disk = volume.rpartition("-")
    return name in domains and _EXTRA.fullmatch(disk) is not None
