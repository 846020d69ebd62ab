"""The verb that teaches a play, and shows how it is done manually."""

from __future__ import annotations

from clusterlab.cli.stack_words import WITHOUT
from clusterlab.cli.verb import INVENTORY, PLAY, PLAYBOOKS, Call, err, out, verb
from clusterlab.connectivity.names import TITLE as CLUSTER_TEST
from clusterlab.pipeline.lock import Unlocked

PLAYS = f"{PLAY}; {CLUSTER_TEST} is what the verb of that name does"
SHELL = "print only the commands, as a script for each host; with hosts named after the plays, only theirs"


@verb(
    Unlocked("touches no host"),
    {"play": PLAYS, "inventory": INVENTORY, "playbooks": PLAYBOOKS, "shell": SHELL, "without": WITHOUT},
    lists=("play", "without"),
)
def explain(
    call: Call,
    play: list[str],
    without: list[str],
    inventory: str = "",
    playbooks: str = "playbooks",
    shell: bool = False,
) -> None:
    """Show what a play teaches, a picture of it, and the manual commands."""
    from clusterlab.cli.locations import inventory_path
    from clusterlab.cli.session import load, say_shipped
    from clusterlab.connectivity.play import with_test
    from clusterlab.manual.lesson import lesson
    from clusterlab.manual.script import script
    from clusterlab.model import load_inventory
    from clusterlab.reports.lesson import show_lesson
    from clusterlab.reports.progress import progress_on

    path = inventory_path(inventory)
    known = load_inventory(path).inventory.hosts
    hosts = [word for word in play if shell and word in known]
    names = [word for word in play if word not in hosts]
    if names == [CLUSTER_TEST]:
        lab = with_test(load_inventory(path))
    else:
        _, lab = load(inventory, names, playbooks, without=without)
    with progress_on(err()) as progress:
        say_shipped(path, progress)
        lessons = [lesson(lab, name, str(path), progress) for name in lab.plays]
    for number, one in enumerate(lessons):
        if shell:
            print(script(one, hosts), end="")
        else:
            out().print("\n" if number else "", end="")
            show_lesson(out(), lab, one)
