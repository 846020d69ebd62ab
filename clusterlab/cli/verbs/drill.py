"""The verb that breaks a lab on purpose and measures what clients see of it."""

from __future__ import annotations

from clusterlab.cli.stack_words import COMPOSE_FILE, STACK
from clusterlab.cli.verb import INVENTORY, JSON, PLAYBOOKS, Call, verb
from clusterlab.cli.verbs.check import JUNIT
from clusterlab.pipeline.lock import Exclusive


@verb(
    Exclusive("drill"),
    {
        "play": "PLAY or PLAY:TITLE: all drills of a play, or one of them; or a stack file, for the drills that any "
        "stack gets; without any, those of all plays",
        "inventory": INVENTORY,
        "playbooks": PLAYBOOKS,
        "compose_file": COMPOSE_FILE,
        "stack": STACK,
        "json": JSON,
        "junit": JUNIT,
        "html": "write the report with the timelines to this file as one HTML page",
        "seed": "fix which host `one of ROLE` selects",
        "lasts": "how long each fault of a stack's drills lasts, in seconds (default: 90)",
        "dry_run": "show what would be broken, probed and written, where and for how long; change nothing",
    },
    lists=("play", "compose_file"),
    interrupted="every fault was healed; if a line above says that one was not, run `clusterlab heal`.",
)
def drill(
    call: Call,
    play: list[str],
    compose_file: list[str],
    inventory: str = "",
    playbooks: str = "playbooks",
    stack: str = "",
    json: str = "",
    junit: str = "",
    html: str = "",
    seed: str = "",
    lasts: str = "",
    dry_run: bool = False,
) -> None:
    """Break the lab on purpose, measure what clients see, and heal it.

    Each drill states what is expected; a drill fails if that is not met.
    """
    from clusterlab.cli.drilling import carry_out, parse_seconds, parse_seed, planned, show_plans
    from clusterlab.cli.output_files import OutputFiles
    from clusterlab.cli.session import session
    from clusterlab.cli.stack_words import is_stack
    from clusterlab.cli.verb import out

    number, seconds = parse_seed(seed), parse_seconds(lasts)
    names = list(dict.fromkeys(word if is_stack(word) else word.partition(":")[0] for word in play))
    dry = call.dry(dry_run)
    with session(dry, inventory, names, playbooks, compose_files=compose_file, stack=stack) as opened:
        work = planned(opened, [word for word in play if not is_stack(word)], seconds)
        if dry_run:
            show_plans(out(), work.plans)
            return
        output = carry_out(opened, work, number, OutputFiles(json, junit, html))
    output.finish()
