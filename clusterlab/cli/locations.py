"""Where a command's files are.

In the current folder, or those that clusterlab ships.

Light on purpose: each key press in a completing shell imports it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from clusterlab.errors import UsageError

DEFAULT_INVENTORY = Path("inventory/default.yml")
DEFAULT_PLAYBOOKS = "playbooks"
_SHIPPED = Path(__file__).parents[1] / "shipped"


def shipped(name: str) -> Path:
    """A file or folder that comes with clusterlab: inventory/default.yml, playbooks."""
    return (_SHIPPED / name).resolve()


def inventory_path(given: str) -> Path:
    """The inventory's file.

    As given, or by its name below inventory/, here or among the shipped ones.

    Nothing given is the default inventory here, and the shipped one where there is none. One that does not exist is
    the file that is missing, beside the others.
    """
    if not given:
        return DEFAULT_INVENTORY if DEFAULT_INVENTORY.is_file() else shipped(str(DEFAULT_INVENTORY))
    if Path(given).is_file():
        return Path(given)
    by_name = Path("inventory") / f"{given}.yml"
    found = (path for path in (by_name, shipped(str(by_name))) if path.is_file())
    missing = by_name if Path(given).name == Path(given).stem == given and by_name.parent.is_dir() else Path(given)
    return next(found, missing)


def playbooks_path(given: str, plays: Sequence[str], inventory: Path) -> Path:
    """The folder with the plays.

    As given, or the shipped lessons where there is none.

    On an inventory of one's own, lessons must be named: nobody gets all of them on a cluster by omission. Raises
    UsageError.
    """
    if given != DEFAULT_PLAYBOOKS or Path(given).is_dir():
        return Path(given)
    if plays or is_shipped(inventory) or not inventory.is_file():  # which is then said to be missing
        return shipped("playbooks")
    raise UsageError(
        f"there is no folder {given} here, and no play was given",
        remedy="`clusterlab init` writes a first play; or name a lesson of clusterlab, such as volumes/nfs.",
    )


def is_shipped(path: Path) -> bool:
    """Whether a file or folder is one that comes with clusterlab.

    Not one of the current folder.
    """
    return any(path.is_relative_to(shipped(name)) for name in ("inventory", "playbooks"))
