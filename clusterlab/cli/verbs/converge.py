"""The verbs that compare hosts with what is wanted, and converge them."""

from __future__ import annotations

from invoke.exceptions import Exit

from clusterlab.cli.stack_words import ADOPT, AUTH, COMPOSE_FILE, PRUNE, RESOLVE, STACK
from clusterlab.cli.verb import DRY_RUN, INVENTORY, JSON, PLAY, PLAYBOOKS, Call, verb
from clusterlab.pipeline.lock import Exclusive, Unlocked

DATA_LOSS = "also make changes that lose data, such as recreating a volume whose options differ"
STACK_OPTIONS = {
    "compose_file": COMPOSE_FILE,
    "stack": STACK,
    "prune": PRUNE,
    "resolve_image": RESOLVE,
    "with_registry_auth": AUTH,
    "adopt": ADOPT,
}
REMOVE_NODES = "also remove from the Swarm the nodes of hosts that are no longer in the inventory"


@verb(Exclusive("provision"), {"inventory": INVENTORY, "json": JSON, "remove_nodes": REMOVE_NODES, "dry_run": DRY_RUN})
def provision(
    call: Call, inventory: str = "", json: str = "", remove_nodes: bool = False, dry_run: bool = False
) -> None:
    """Prepare the hosts: packages, NFS exports, Docker engines, the Swarm."""
    from clusterlab.cli.output import converging, show_changes
    from clusterlab.cli.session import session
    from clusterlab.pipeline.pipeline import Pipeline

    with session(call.dry(dry_run), inventory) as lab:
        pipeline = Pipeline(lab, remove_nodes=remove_nodes)
        if dry_run:
            show_changes(pipeline, pipeline.provision_changes(), [], json)
            return
        with converging(pipeline, "provision", json):
            pipeline.provision()


@verb(
    Unlocked("reads only"),
    {
        "play": f"{PLAY}; or a stack file",
        "inventory": INVENTORY,
        "playbooks": PLAYBOOKS,
        "json": JSON,
        "allow_data_loss": DATA_LOSS,
        **STACK_OPTIONS,
    },
    lists=("play", "compose_file"),
)
def plan(
    call: Call,
    play: list[str],
    compose_file: list[str],
    inventory: str = "",
    playbooks: str = "playbooks",
    stack: str = "",
    json: str = "",
    allow_data_loss: bool = False,
    prune: bool = False,
    resolve_image: str = "",
    with_registry_auth: bool = False,
    adopt: bool = False,
) -> None:
    """Show what provision and apply would change, why, and the manual commands."""
    from clusterlab.cli.output import show_changes
    from clusterlab.cli.session import session
    from clusterlab.pipeline.pipeline import Pipeline
    from clusterlab.resources.deploying import Deploying, resolving

    deploying = Deploying(prune, resolving(resolve_image), with_registry_auth, adopt)
    with session(call, inventory, play, playbooks, compose_files=compose_file, stack=stack) as lab:
        pipeline = Pipeline(lab, allow_data_loss=allow_data_loss, deploying=deploying)
        changes, stacks = pipeline.planned()
        show_changes(pipeline, changes, stacks, json)


@verb(
    Exclusive("apply"),
    {
        "play": f"{PLAY}; or a stack file",
        "inventory": INVENTORY,
        "playbooks": PLAYBOOKS,
        "json": JSON,
        "allow_data_loss": DATA_LOSS,
        **STACK_OPTIONS,
        "dry_run": DRY_RUN,
    },
    lists=("play", "compose_file"),
)
def apply(
    call: Call,
    play: list[str],
    compose_file: list[str],
    inventory: str = "",
    playbooks: str = "playbooks",
    stack: str = "",
    json: str = "",
    allow_data_loss: bool = False,
    prune: bool = False,
    resolve_image: str = "",
    with_registry_auth: bool = False,
    adopt: bool = False,
    dry_run: bool = False,
) -> None:
    """Create and update the volumes, networks, containers and services of plays.

    Images and stacks as well.
    """
    from clusterlab.cli.output import converging, show_changes
    from clusterlab.cli.session import session
    from clusterlab.pipeline.pipeline import Pipeline
    from clusterlab.resources.deploying import Deploying, resolving

    deploying = Deploying(prune, resolving(resolve_image), with_registry_auth, adopt)
    with session(call.dry(dry_run), inventory, play, playbooks, compose_files=compose_file, stack=stack) as lab:
        pipeline = Pipeline(lab, allow_data_loss=allow_data_loss, deploying=deploying)
        if dry_run:
            show_changes(pipeline, *pipeline.planned_apply(), json)
            return
        with converging(pipeline, "apply", json):
            pipeline.apply()


@verb(
    Exclusive("clean"),
    {
        "inventory": INVENTORY,
        "json": JSON,
        "delete_data": "also remove volumes that hold data",
        "dry_run": DRY_RUN,
    },
)
def clean(call: Call, inventory: str = "", json: str = "", delete_data: bool = False, dry_run: bool = False) -> None:
    """Remove everything that apply created, whatever the playbooks say now."""
    from clusterlab.cli.output import converging, show_changes, show_remaining
    from clusterlab.cli.session import session
    from clusterlab.pipeline.pipeline import Pipeline

    with session(call.dry(dry_run), inventory) as lab:
        pipeline = Pipeline(lab)
        if dry_run:
            show_changes(pipeline, pipeline.clean_changes(delete_data), [], json)
            return
        with converging(pipeline, "clean", json):
            try:
                pipeline.clean(delete_data)
            finally:
                show_remaining(pipeline)
    raise Exit(code=3 if pipeline.remaining else 0)
