"""A kind of machines: what it declares, and what the machines of one lab can do.

A kind is one `MachineKind`, found by its name through `clusterlab.machines.kinds`. It says everything that the rest of
clusterlab needs to know about it as properties, so nothing outside its own package compares names of kinds. Its module
is imported with the models: it imports neither the inventory nor anything slow; `open` does that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from clusterlab.capabilities import Capabilities
from clusterlab.model.base import Issue, Model
from clusterlab.progress import Progress

from .changing import Part
from .outside import Ability

if TYPE_CHECKING:
    from clusterlab.model.inventory import Inventory
    from clusterlab.model.lab import Lab
    from clusterlab.remote.target import Target

State = Literal["absent", "starting", "running", "stopped", "unreachable"]


@dataclass(frozen=True)
class MachineStatus:
    """One host as it is now.

    `detail` adds what a person asks next: a port, a process, why it does not answer.
    """

    host: str
    state: State
    detail: str = ""


class Machines(Protocol):
    """The machines of one lab."""

    @property
    def kind(self) -> MachineKind: ...

    def up(self, progress: Progress, keep: bool = False) -> None:
        """Make every host exist and answer over SSH; running ones are left as they are.

        On failure, logs are collected and whatever this call created is removed, unless `keep`.
        """

    def down(self, progress: Progress) -> None:
        """Remove every machine and all state of the lab.

        Raises ClusterlabError naming what remains, if anything.
        """

    def status(self) -> list[MachineStatus]:
        """Every host of the lab, in the inventory's order."""

    def targets(self) -> dict[str, Target]:
        """How each host is reached; raises ClusterlabError when the machines are not up."""

    def collect(self, folder: Path, progress: Progress) -> None:
        """Copy what is known of the machines from outside into `folder`.

        Console logs, and the output of QEMU and engines.
        """

    def unsupported(self) -> Capabilities:
        """Capabilities (nfs, ipvs, iscsi, ...) that hosts lack, each with the reason."""


class BaseImages(Protocol):
    """The base images of a lab that people build ahead of time (`clusterlab box`)."""

    def add(self, progress: Progress) -> str:
        """Build the image and make it known to whoever runs the machines.

        Returns its name, version and file.
        """

    def planned(self, remove: bool) -> str:
        """What `add`, or `remove`, would do, in a sentence."""

    def remove(self, progress: Progress) -> bool:
        """Remove all versions of it; returns whether there was one."""


def _no_issues(inventory: Inventory, folder: Path) -> Iterator[Issue]:
    yield from ()


@dataclass(frozen=True, kw_only=True)
class MachineKind:
    """What one kind of machines is, as the rest of clusterlab sees it."""

    name: str
    """As `machines:` of an inventory has it."""
    summary: str
    """What these machines are, in half a sentence."""
    open: Callable[[Lab], Machines]
    """The machines of a lab, whether they are up or not. Nothing is contacted or created yet."""

    creates: bool = True
    """Whether `up` creates the machines and `down` removes them. Without it they cannot be recreated either, and the
    network between them is not ours: an inventory need not name its subnet."""
    foreign: bool = False
    """Whether the machines belong to somebody else, so that actions on them need permission in the inventory."""
    down: str = "nothing remains"
    """What is true when `down` has ended, for people."""
    needs_root: bool = False
    """Whether this process must be root to run them."""
    snapshots: bool = False
    """Whether the machines have an attribute `snapshots` (see `clusterlab.machines.snapshots.Snapshots`)."""
    saved_lab: bool = False
    """Whether the machines have an attribute `saved_lab` (see `clusterlab.machines.saved_labs.SavedLab`)."""
    copies_disks: bool = True
    """Whether machines start as copies of one disk, so that what must be unique in it (such as the iSCSI initiator's
    name) must be replaced."""

    abilities: frozenset[Ability] = frozenset()
    """What faults may do to these machines. With one from outside they have an attribute `outside` (see
    `clusterlab.machines.outside.Outside`)."""
    unable: Mapping[Ability, str] = field(default_factory=dict)
    """Why they lack an ability, for people."""

    settings: type[Model] | None = None
    """The model of the inventory's section with this kind's name; every key of it has a default."""
    reads: Mapping[str, frozenset[str] | None] = field(default_factory=dict)
    """Sections of other kinds that it reads too, each with the keys that have an effect (None: all)."""
    sets_mtu: bool = False
    """Whether `mtu` of the inventory's network has an effect."""
    changes: frozenset[Part] = frozenset()
    """What can become another in machines that are up. With any they have an attribute `changing` (see
    `clusterlab.machines.changing.Changing`)."""
    host_keys: frozenset[str] = frozenset()
    """Which of a host's optional keys (memory, cpus, release, ssh) have an effect."""
    issues: Callable[[Inventory, Path], Iterator[Issue]] = _no_issues
    """What is wrong with an inventory of this kind that its models cannot know, given the inventory's folder."""
    base_images: Callable[[Lab], BaseImages] | None = None
    """The base images of these machines, when people can build them ahead of time."""

    def reason(self, ability: Ability) -> str:
        """Why these machines lack an ability; "" when they have it."""
        if ability in self.abilities:
            return ""
        return self.unable.get(ability, f"{self.name} machines do not offer it")

    def has_setting(self, key: str) -> bool:
        """Whether the inventory's section of this kind has such a key."""
        return self.settings is not None and key in self.settings.model_fields
