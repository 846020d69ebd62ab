from __future__ import annotations

from clusterlab.cli.verb import DRY_RUN, INVENTORY, Call, err, out, verb
from clusterlab.pipeline.lock import Exclusive


@verb(
    Exclusive("down"),
    {
        "inventory": INVENTORY,
        "lab": "the lab's name, when its inventory is gone",
        "saved": "also remove the lab as it was saved when it was provisioned",
        "dry_run": DRY_RUN,
    },
)
def down(call: Call, inventory: str = "", lab: str = "", saved: bool = False, dry_run: bool = False) -> None:
    """Remove the lab's machines and all that belongs to them."""
    from clusterlab.cli.dry_run import show_down
    from clusterlab.cli.lab_names import check_lab_name
    from clusterlab.cli.locations import inventory_path
    from clusterlab.cli.session import say_shipped
    from clusterlab.machines import open_machines, recall_machines
    from clusterlab.model import load_inventory
    from clusterlab.pipeline.down import bring_down
    from clusterlab.reports.progress import progress_on

    path = None if lab else inventory_path(inventory)
    given = load_inventory(path) if path else None
    name = given.name if given else check_lab_name(lab)
    with progress_on(err()) as progress:
        if path:
            say_shipped(path, progress)
        if dry_run:
            show_down(out(), open_machines(given) if given else recall_machines(name))
            return
        progress.say(name, bring_down(name, given, progress, saved=saved))
