"""What a verb works with: the lab, its machines, its hosts, and where progress goes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from rich.console import Console

from clusterlab.capabilities import Capabilities
from clusterlab.errors import UsageError
from clusterlab.machines import Machines, open_machines
from clusterlab.machines.state import LabState
from clusterlab.model import Lab, load_inventory, load_lab
from clusterlab.progress import Progress
from clusterlab.remote import Hosts
from clusterlab.reports.progress import progress_on

DEFAULT_INVENTORY = Path("inventory/default.yml")


def inventory_path(given: str) -> Path:
    """The inventory's file: as given, or by its name below inventory/."""
    if not given:
        if DEFAULT_INVENTORY.is_file():
            return DEFAULT_INVENTORY
        raise UsageError(
            f"there is no {DEFAULT_INVENTORY} here, and no inventory was given",
            remedy="Name one with -i, or start in a folder that has inventory/default.yml.",
        )
    by_name = Path("inventory") / f"{given}.yml"
    return by_name if by_name.is_file() and not Path(given).is_file() else Path(given)


def lab_name(inventory: str, given: str) -> str:
    """The lab's name: as given, when the inventory is gone, or as the inventory says."""
    return given or load_inventory(inventory_path(inventory)).name


@dataclass
class Session:
    """One command's view of a lab. Connections are opened when first used and closed with the session."""

    lab: Lab
    progress: Progress
    stages: dict[str, float] = field(default_factory=dict)
    _closing: ExitStack = field(default_factory=ExitStack)

    @cached_property
    def machines(self) -> Machines:
        return open_machines(self.lab)

    @cached_property
    def hosts(self) -> Hosts:
        """The lab's hosts; raises ClusterlabError when the machines are not up."""
        return self._closing.enter_context(Hosts(self.machines.targets()))

    @cached_property
    def unsupported(self) -> Capabilities:
        """Capabilities that hosts lack, with the reasons."""
        return self.machines.unsupported()

    def counts(self) -> dict[str, dict[str, int]]:
        """Connections, commands and API requests of this command so far, per host."""
        return {name: dict(self.hosts[name].counts) for name in self.lab.inventory.hosts}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure a part of the work; its seconds are in `stages`, also when it fails."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.stages[name] = time.monotonic() - began


@contextmanager
def session(
    console: Console,
    inventory: str,
    plays: Sequence[str] | None = None,
    playbooks: str = "playbooks",
    lock: str = "",
) -> Iterator[Session]:
    """Open a lab for one verb.

    `plays` None loads no plays, an empty list all of them. `lock` names the verb that must be alone on this lab: a
    second one ends with an error that names the first.
    """
    path = inventory_path(inventory)
    lab = load_inventory(path) if plays is None else load_lab(path, plays, Path(playbooks))
    with ExitStack() as stack:
        if lock:
            stack.enter_context(LabState(lab.name).lock(lock))
        yield Session(lab, stack.enter_context(progress_on(console)), _closing=stack)
