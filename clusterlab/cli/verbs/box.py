from __future__ import annotations

from invoke import Context

from clusterlab.cli.verb import err, out, verb


@verb(
    {
        "inventory": "the inventory of a vagrant lab (default: inventory/vagrant.yml)",
        "remove": "remove it from Vagrant's boxes, from libvirt and from the cache; the root file system is kept",
    }
)
def box(context: Context, inventory: str = "", remove: bool = False) -> None:
    """Build the box for Vagrant, and add it to Vagrant's boxes."""
    from clusterlab.cli.session import inventory_path
    from clusterlab.errors import UsageError
    from clusterlab.machines.state import LabState
    from clusterlab.machines.vagrant.boxes import add_own, remove_own
    from clusterlab.machines.vagrant.folder import vagrant_folder
    from clusterlab.machines.vagrant.program import Vagrant
    from clusterlab.model import load_inventory
    from clusterlab.reports.progress import progress_on

    path = inventory_path(inventory or "vagrant")
    lab = load_inventory(path)
    if lab.inventory.machines != "vagrant":
        raise UsageError(
            f"{path} is of {lab.inventory.machines} machines, which need no box",
            remedy="Name the inventory of a vagrant lab with -i.",
        )
    if lab.inventory.vagrant.box:
        raise UsageError(
            f"{path} names the public box {lab.inventory.vagrant.box}",
            remedy="Leave `box` out there to use the one that clusterlab builds.",
        )
    vagrant = Vagrant(vagrant_folder(lab), lab.inventory, LabState(lab.name).folder / "vagrant.log")
    with progress_on(err()) as progress:
        if remove:
            removed = remove_own(vagrant, lab.inventory, progress)
            progress.say("box", "it is gone" if removed else "there is none")
            return
        made = add_own(vagrant, lab.inventory, progress)
    out().print(f"{made.name} {made.version} ({made.file})", highlight=False, soft_wrap=True)
