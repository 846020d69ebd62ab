from __future__ import annotations

from pathlib import Path

from invoke import Context

from clusterlab.cli.verb import INVENTORY, err, verb
from clusterlab.errors import ClusterlabError


@verb({"inventory": INVENTORY, "to": "the folder to write to"})
def collect(context: Context, inventory: str = "", to: str = "lab-logs") -> None:
    """Collect the machines' logs in a folder."""
    from clusterlab.cli.session import session

    with session(err(), inventory) as lab:
        folder = Path(to)
        lab.machines.collect(folder, lab.progress)
        if not folder.is_dir() or not any(folder.iterdir()):
            raise ClusterlabError(
                f"lab {lab.lab.name} has no logs: it has no machines", remedy="bring it up: clusterlab up"
            )
        lab.progress.say(lab.lab.name, f"logs are in {folder}")
