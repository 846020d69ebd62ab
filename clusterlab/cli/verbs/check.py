"""The verbs that prove statements: check, and run as the whole way to it."""

from __future__ import annotations

from invoke import Context

from clusterlab.cli.verb import INVENTORY, JSON, PLAY, PLAYBOOKS, err, verb
from clusterlab.cli.verbs.converge import DATA_LOSS

JUNIT = "write the results to this file as JUnit XML"
STRICT = "fail when a statement is unsupported; always so on existing machines"


@verb(
    {"play": PLAY, "inventory": INVENTORY, "playbooks": PLAYBOOKS, "json": JSON, "junit": JUNIT, "strict": STRICT},
    lists=("play",),
)
def check(
    context: Context,
    play: list[str],
    inventory: str = "",
    playbooks: str = "playbooks",
    json: str = "",
    junit: str = "",
    strict: bool = False,
) -> None:
    """Prove the plays' statements on the lab as it is."""
    from clusterlab.cli.session import session
    from clusterlab.cli.stages import begin, finish, prove

    with session(err(), inventory, play, playbooks) as lab:
        run = begin(lab, "check", strict)
        prove(lab, run)
    finish(run, json, junit)


@verb(
    {
        "play": PLAY,
        "inventory": INVENTORY,
        "playbooks": PLAYBOOKS,
        "json": JSON,
        "junit": JUNIT,
        "strict": STRICT,
        "allow_data_loss": DATA_LOSS,
    },
    lists=("play",),
)
def run(
    context: Context,
    play: list[str],
    inventory: str = "",
    playbooks: str = "playbooks",
    json: str = "",
    junit: str = "",
    strict: bool = False,
    allow_data_loss: bool = False,
) -> None:
    """Do the main job: up, provision, apply and check."""
    from clusterlab.cli.session import session
    from clusterlab.cli.stages import begin, ends_with_document, finish, prove, to_the_wanted_state

    with session(err(), inventory, play, playbooks, lock="run") as lab:
        result = begin(lab, "run", strict)
        with ends_with_document(result, json):
            converged = to_the_wanted_state(lab, allow_data_loss)
            prove(lab, result)
    finish(result, json, junit, converged)
