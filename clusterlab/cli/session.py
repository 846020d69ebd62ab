"""Opening the lab that a command line names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from clusterlab.cli.lab_names import check_lab_name
from clusterlab.cli.locations import inventory_path, is_shipped, playbooks_path
from clusterlab.cli.stack_words import check_without, plays_and_stacks
from clusterlab.cli.verb import Call, err
from clusterlab.model import Lab, load_inventory, load_lab
from clusterlab.pipeline.session import Session, open_session
from clusterlab.progress import Progress
from clusterlab.reports.progress import progress_on

_HEALING_SECONDS = 300.0


def lab_name(inventory: str, given: str) -> str:
    """The lab's name: as given, when the inventory is gone, or as the inventory says. Raises UsageError."""
    return check_lab_name(given) if given else load_inventory(inventory_path(inventory)).name


@contextmanager
def session(
    call: Call,
    inventory: str,
    plays: Sequence[str] | None = None,
    playbooks: str = "playbooks",
    *,
    compose_files: Sequence[str] = (),
    stack: str = "",
    without: Sequence[str] = (),
    moved: bool = False,
    heals: bool = False,
) -> Iterator[Session]:
    """Open a lab for a command, under the lock that its verb declares.

    Progress goes to standard error.

    `plays` None loads no plays, an empty list all of them. Stack files among them, and `compose_files` together, are
    stacks; `stack` is the name of the only one, and `without` has the keys of statements that are turned off.
    With `heals`, the command heals faults, and waits for whoever is just healing them.
    """
    path, lab = load(inventory, plays, playbooks, compose_files, stack, without)
    with progress_on(err()) as progress:
        say_shipped(path, progress)
        with open_session(
            lab, progress, call.lock, _HEALING_SECONDS if heals else 0.0, moved=moved, heals=heals
        ) as opened:
            yield opened


def load(
    inventory: str,
    plays: Sequence[str] | None,
    playbooks: str,
    compose_files: Sequence[str] = (),
    stack: str = "",
    without: Sequence[str] = (),
) -> tuple[Path, Lab]:
    """The inventory's file and the lab with its plays and stacks.

    None loads no plays, an empty list all of them.
    """
    path = inventory_path(inventory)
    if plays is None:
        return path, load_inventory(path)
    names, stacks = plays_and_stacks(plays, compose_files, stack)
    check_without(without)
    return path, load_lab(path, names, playbooks_path(playbooks, [*plays, *compose_files], path), stacks, without)


def say_shipped(inventory: Path, progress: Progress) -> None:
    """Say when a command uses the lab that comes with clusterlab."""
    if is_shipped(inventory):
        progress.say(
            f"inventory {inventory.stem}",
            "there is none in this folder: this one and the lessons come with clusterlab; "
            "`clusterlab init` writes files of your own",
        )
