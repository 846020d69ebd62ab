from __future__ import annotations

from invoke import Context

from clusterlab.cli.verb import INVENTORY, err, out, verb


@verb({"inventory": INVENTORY, "keep": "keep the machines when they do not come up, to look at them"})
def up(context: Context, inventory: str = "", keep: bool = False) -> None:
    """Make the lab's machines exist and answer."""
    from clusterlab.cli.session import session
    from clusterlab.reports.terminal import show_status

    with session(err(), inventory, lock="up") as lab:
        lab.machines.up(lab.progress, keep=keep)
        statuses = lab.machines.status()
    show_status(out(), statuses)
