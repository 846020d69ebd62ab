from __future__ import annotations

from clusterlab.cli.verb import INVENTORY, Call, out, verb
from clusterlab.pipeline.lock import Exclusive


@verb(
    Exclusive("up"),
    {
        "inventory": INVENTORY,
        "keep": "keep machines that do not come up, so that they can be inspected",
        "moved": "the lab's folder was moved to where its inventory is now",
    },
    interrupted="`clusterlab up` goes on from here; `clusterlab down` removes the machines.",
)
def up(call: Call, inventory: str = "", keep: bool = False, moved: bool = False) -> None:
    """Create and start the lab's machines, and wait until they answer."""
    from clusterlab.cli.session import session
    from clusterlab.reports.terminal import show_status

    with session(call, inventory, moved=moved) as lab:
        lab.machines.up(lab.progress, keep=keep)
        statuses = lab.machines.status()
    show_status(out(), statuses)
