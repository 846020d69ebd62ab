"""The verb that breaks a lab on purpose and measures what clients see of it."""

from __future__ import annotations

from clusterlab.cli.verb import INVENTORY, JSON, PLAYBOOKS, Call, verb
from clusterlab.cli.verbs.check import JUNIT
from clusterlab.pipeline.lock import Exclusive


@verb(
    Exclusive("drill"),
    {
        "play": "PLAY or PLAY:TITLE: all drills of a play, or one of them; without any, those of all plays",
        "inventory": INVENTORY,
        "playbooks": PLAYBOOKS,
        "json": JSON,
        "junit": JUNIT,
        "html": "write the report with the timelines to this file as one HTML page",
        "seed": "fix which host `one of ROLE` selects",
        "dry_run": "show what would be broken, probed and written, where and for how long; change nothing",
    },
    lists=("play",),
    interrupted="every fault was healed; if a line above says that one was not, run `clusterlab heal`.",
)
def drill(
    call: Call,
    play: list[str],
    inventory: str = "",
    playbooks: str = "playbooks",
    json: str = "",
    junit: str = "",
    html: str = "",
    seed: str = "",
    dry_run: bool = False,
) -> None:
    """Break the lab on purpose, measure what clients see, and heal it.

    Each drill states what is expected; a drill fails if that is not met.
    """
    from clusterlab.cli.drilling import carry_out, show_plans
    from clusterlab.cli.session import session
    from clusterlab.cli.verb import out
    from clusterlab.drills.plan import all_plans, parse_seed

    number = parse_seed(seed)
    names = list(dict.fromkeys(word.partition(":")[0] for word in play))
    with session(call.dry(dry_run), inventory, names, playbooks) as opened:
        plans = all_plans(opened.lab, play)
        if dry_run:
            show_plans(out(), plans)
            return
        output = carry_out(opened, plans, number, json=json, junit=junit, html=html)
    output.finish()
