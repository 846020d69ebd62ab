from __future__ import annotations

from clusterlab.cli.verb import DRY_RUN, Call, err, out, verb
from clusterlab.pipeline.lock import Unlocked


@verb(
    Unlocked("its cache has a lock of its own"),
    {
        "inventory": "the inventory of a vagrant lab (default: inventory/vagrant.yml)",
        "remove": "remove it from Vagrant's boxes, from libvirt and from the cache; the root file system is kept",
        "dry_run": DRY_RUN,
    },
)
def box(call: Call, inventory: str = "", remove: bool = False, dry_run: bool = False) -> None:
    """Build the box for Vagrant, and add it to Vagrant's boxes."""
    from clusterlab.cli.locations import inventory_path
    from clusterlab.errors import UsageError
    from clusterlab.machines.kinds import MACHINE_KINDS
    from clusterlab.model import load_inventory
    from clusterlab.reports.progress import progress_on

    boxed = next(one.name for one in MACHINE_KINDS.values() if one.base_images)
    path = inventory_path(inventory or boxed)
    lab = load_inventory(path)
    kind = lab.inventory.kind
    if kind.base_images is None:
        raise UsageError(
            f"{path} is for {kind.name} machines, which need no box",
            remedy=f"Name the inventory of a {boxed} lab with -i.",
        )
    images = kind.base_images(lab)
    if dry_run:
        out().print(images.planned(remove), highlight=False, soft_wrap=True)
        return
    with progress_on(err()) as progress:
        if remove:
            progress.say("box", "removed" if images.remove(progress) else "no such box exists")
            return
        added = images.add(progress)
    out().print(added, highlight=False, soft_wrap=True)
