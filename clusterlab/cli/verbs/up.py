from __future__ import annotations

from clusterlab.cli.verb import DRY_RUN, FRESH, INVENTORY, Call, out, verb
from clusterlab.pipeline.lock import Exclusive


@verb(
    Exclusive("up"),
    {
        "inventory": INVENTORY,
        "keep": "keep machines that do not come up, so that they can be inspected",
        "moved": "the lab's folder was moved to where its inventory is now",
        "fresh": FRESH,
        "dry_run": DRY_RUN,
    },
    interrupted="`clusterlab up` continues from here; `clusterlab down` removes the machines.",
)
def up(
    call: Call,
    inventory: str = "",
    keep: bool = False,
    moved: bool = False,
    fresh: bool = False,
    dry_run: bool = False,
) -> None:
    """Create and start the lab's machines, and wait until they answer."""
    from clusterlab.cli.dry_run import show_up
    from clusterlab.cli.session import session
    from clusterlab.pipeline.bringing_up import bring_up
    from clusterlab.reports.terminal import show_status

    with session(call.dry(dry_run), inventory, moved=moved and not dry_run) as lab:
        if dry_run:
            show_up(out(), lab.machines, fresh=fresh)
            return
        bring_up(lab, fresh=fresh, keep=keep)
        statuses = lab.machines.status()
    show_status(out(), statuses)
