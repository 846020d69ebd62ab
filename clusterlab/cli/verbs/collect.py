from __future__ import annotations

from pathlib import Path

from invoke import Context

from clusterlab.cli.verb import INVENTORY, err, verb


@verb({"inventory": INVENTORY, "to": "the folder to write to"})
def collect(context: Context, inventory: str = "", to: str = "lab-logs") -> None:
    """Collect the machines' logs in a folder."""
    from clusterlab.cli.session import session

    with session(err(), inventory) as lab:
        folder = Path(to)
        lab.machines.collect(folder, lab.progress)
        lab.progress.say(lab.lab.name, f"logs are in {folder}")
