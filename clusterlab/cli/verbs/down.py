from __future__ import annotations

from invoke import Context

from clusterlab.cli.verb import INVENTORY, err, verb


@verb({"inventory": INVENTORY, "lab": "the lab's name, when its inventory is gone"})
def down(context: Context, inventory: str = "", lab: str = "") -> None:
    """Remove the lab's machines and all that belongs to them."""
    from clusterlab.cli.session import inventory_path
    from clusterlab.machines import open_machines, recall_machines
    from clusterlab.machines.state import LabState
    from clusterlab.model import load_inventory
    from clusterlab.reports.progress import progress_on

    given = None if lab else load_inventory(inventory_path(inventory))
    name = given.name if given else lab
    state = LabState(name)
    with state.lock("down"), progress_on(err()) as progress:
        # What was brought up counts, not what the inventory says now; without a record, the machines are looked for.
        machines = open_machines(given) if given and state.read() is None else recall_machines(name)
        machines.down(progress)
        progress.say(name, machines.kind.down)
