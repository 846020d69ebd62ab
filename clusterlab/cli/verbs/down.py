from __future__ import annotations

from clusterlab.cli.verb import INVENTORY, Call, err, verb
from clusterlab.pipeline.lock import Exclusive


@verb(Exclusive("down"), {"inventory": INVENTORY, "lab": "the lab's name, when its inventory is gone"})
def down(call: Call, inventory: str = "", lab: str = "") -> None:
    """Remove the lab's machines and all that belongs to them."""
    from clusterlab.cli.locations import inventory_path
    from clusterlab.cli.session import say_shipped
    from clusterlab.model import load_inventory
    from clusterlab.pipeline.down import bring_down
    from clusterlab.reports.progress import progress_on

    path = None if lab else inventory_path(inventory)
    given = load_inventory(path) if path else None
    name = given.name if given else lab
    with progress_on(err()) as progress:
        if path:
            say_shipped(path, progress)
        progress.say(name, bring_down(name, given, progress))
