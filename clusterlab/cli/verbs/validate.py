from __future__ import annotations

import json as json_text

from clusterlab.cli.stack_words import COMPOSE_FILE, STACK
from clusterlab.cli.verb import INVENTORY, JSON, PLAY, PLAYBOOKS, Call, out, verb
from clusterlab.pipeline.lock import Unlocked


@verb(
    Unlocked("touches no host"),
    {
        "play": f"{PLAY}; or a stack file: any file with services:",
        "inventory": INVENTORY,
        "playbooks": PLAYBOOKS,
        "compose_file": COMPOSE_FILE,
        "stack": STACK,
        "mute": "advice to hide, by its key",
        "json": JSON,
    },
    lists=("play", "compose_file", "mute"),
)
def validate(
    call: Call,
    play: list[str],
    compose_file: list[str],
    mute: list[str],
    inventory: str = "",
    playbooks: str = "playbooks",
    stack: str = "",
    json: str = "",
) -> None:
    """Check the inventory and the playbooks, or stack files, without touching a host."""
    from clusterlab.cli.locations import inventory_path, playbooks_path
    from clusterlab.cli.stack_words import plays_and_stacks
    from clusterlab.cli.validating import Validation, check_mute

    check_mute(mute)
    validation = Validation()
    plays, stacks = plays_and_stacks(play, compose_file, stack)
    for one in stacks:
        validation.stack(one.files, stack, mute)
    if plays or not stacks:
        path = inventory_path(inventory)
        validation.plays(path, plays, playbooks_path(playbooks, plays, path))
    validation.finish(out(), json)


@verb(Unlocked("touches no host"), {})
def schema(call: Call) -> None:
    """Print the JSON Schema of both files, for editors."""
    from clusterlab.model import json_schema

    print(json_text.dumps(json_schema(), indent=2))
