"""The verb that tries a change of the inventory on a lab, node by node.

And measures what clients see of it.
"""

from __future__ import annotations

from clusterlab.cli.stack_words import COMPOSE_FILE, STACK
from clusterlab.cli.verb import INVENTORY, JSON, PLAY, PLAYBOOKS, Call, verb
from clusterlab.cli.verbs.check import JUNIT
from clusterlab.pipeline.lock import Exclusive


@verb(
    Exclusive("rehearse"),
    {
        "play": f"{PLAY}; or a stack file: what is measured",
        "to": "the inventory with the change: a file, or the name of one below inventory/",
        "inventory": f"today's inventory, as the lab is; {INVENTORY}",
        "playbooks": PLAYBOOKS,
        "compose_file": COMPOSE_FILE,
        "stack": STACK,
        "json": JSON,
        "junit": JUNIT,
        "stay": "do not go back: leave the lab as the changed inventory says",
        "dry_run": "show what would be changed on each host, and in which order",
    },
    lists=("play", "compose_file"),
    interrupted="the lab is between the two inventories: `clusterlab rehearse --to ...` goes on with the change, "
    "`clusterlab provision` with today's inventory goes back.",
)
def rehearse(
    call: Call,
    play: list[str],
    compose_file: list[str],
    to: str = "",
    inventory: str = "",
    playbooks: str = "playbooks",
    stack: str = "",
    json: str = "",
    junit: str = "",
    stay: bool = False,
    dry_run: bool = False,
) -> None:
    """Try a change of the inventory on the lab.

    Measure what is unavailable meanwhile, and go back.
    """
    from clusterlab.cli.output_files import OutputFiles
    from clusterlab.cli.rehearsing import carry_out, show_steps
    from clusterlab.cli.session import load, session
    from clusterlab.errors import UsageError

    if not to:
        raise UsageError("the inventory with the change is missing", remedy="Name it with --to.")
    with session(call.dry(dry_run), inventory, play, playbooks, compose_files=compose_file, stack=stack) as opened:
        after = load(to, play, playbooks, compose_file, stack)[1]
        if dry_run:
            show_steps(opened, after)
            return
        carry_out(opened, after, back=not stay, files=OutputFiles(json, junit))
