"""Opening the lab that a command line names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from clusterlab.cli.verb import Call, err
from clusterlab.errors import UsageError
from clusterlab.model import load_inventory, load_lab
from clusterlab.pipeline.session import Session, open_session
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


@contextmanager
def session(
    call: Call,
    inventory: str,
    plays: Sequence[str] | None = None,
    playbooks: str = "playbooks",
    *,
    moved: bool = False,
) -> Iterator[Session]:
    """Open a lab for a command, under the lock that its verb declares; progress goes to standard error.

    `plays` None loads no plays, an empty list all of them.
    """
    path = inventory_path(inventory)
    lab = load_inventory(path) if plays is None else load_lab(path, plays, Path(playbooks))
    with progress_on(err()) as progress, open_session(lab, progress, call.lock, moved=moved) as opened:
        yield opened
