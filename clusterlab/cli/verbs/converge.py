"""The verbs that observe hosts and bring them to what is wanted."""

from __future__ import annotations

from invoke import Context

from clusterlab.cli.verb import INVENTORY, JSON, PLAY, PLAYBOOKS, err, verb

DATA_LOSS = "also make changes that lose data, as recreating a volume whose options differ"
REMOVE_NODES = "also remove from the Swarm the nodes of hosts that are no longer in the inventory"


@verb({"inventory": INVENTORY, "json": JSON, "remove_nodes": REMOVE_NODES})
def provision(context: Context, inventory: str = "", json: str = "", remove_nodes: bool = False) -> None:
    """Prepare the hosts for their roles: packages, NFS exports, Docker engines, the Swarm."""
    from clusterlab.cli.session import session
    from clusterlab.cli.stages import converge, must, provision_changes

    with session(err(), inventory, lock="provision") as lab:
        must(converge(lab, "provision", provision_changes(lab, remove_nodes), json))


@verb(
    {"play": PLAY, "inventory": INVENTORY, "playbooks": PLAYBOOKS, "json": JSON, "allow_data_loss": DATA_LOSS},
    lists=("play",),
)
def plan(
    context: Context,
    play: list[str],
    inventory: str = "",
    playbooks: str = "playbooks",
    json: str = "",
    allow_data_loss: bool = False,
) -> None:
    """Show what provision and apply would change, why, and the command that would do it by hand."""
    from clusterlab.cli.session import session
    from clusterlab.cli.stages import planned, show_planned

    with session(err(), inventory, play, playbooks) as lab:
        show_planned(lab, planned(lab, allow_data_loss), json)


@verb(
    {"play": PLAY, "inventory": INVENTORY, "playbooks": PLAYBOOKS, "json": JSON, "allow_data_loss": DATA_LOSS},
    lists=("play",),
)
def apply(
    context: Context,
    play: list[str],
    inventory: str = "",
    playbooks: str = "playbooks",
    json: str = "",
    allow_data_loss: bool = False,
) -> None:
    """Create and change images, volumes, networks, containers and services as the plays want them."""
    from clusterlab.cli.session import session
    from clusterlab.cli.stages import apply_changes, converge, must

    with session(err(), inventory, play, playbooks, lock="apply") as lab:
        must(converge(lab, "apply", apply_changes(lab, allow_data_loss), json))


@verb({"inventory": INVENTORY, "json": JSON, "delete_data": "also remove volumes that hold data"})
def clean(context: Context, inventory: str = "", json: str = "", delete_data: bool = False) -> None:
    """Remove everything that apply made, whatever the playbooks say now."""
    from clusterlab.cli.session import session
    from clusterlab.cli.stages import clean_changes, converge, must, report_left_over

    with session(err(), inventory, lock="clean") as lab:
        report = converge(lab, "clean", clean_changes(lab, delete_data), json)
        report_left_over(lab)
        must(report)
