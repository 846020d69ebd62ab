from __future__ import annotations

from invoke import Context

from clusterlab.cli.verb import INVENTORY, err, verb


@verb({"inventory": INVENTORY, "lab": "the lab's name, when its inventory is gone"})
def down(context: Context, inventory: str = "", lab: str = "") -> None:
    """Remove the lab's machines and all that belongs to them."""
    from clusterlab.cli.session import inventory_path
    from clusterlab.machines import recall_machines
    from clusterlab.machines.state import LabState
    from clusterlab.model import load_inventory
    from clusterlab.reports.progress import progress_on

    name = lab or load_inventory(inventory_path(inventory)).name
    with LabState(name).lock("down"), progress_on(err()) as progress:
        recall_machines(name).down(progress)
        progress.say(name, "nothing is left")
