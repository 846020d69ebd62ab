from __future__ import annotations

from typing import TYPE_CHECKING

from clusterlab.cli.verb import DRY_RUN, INVENTORY, PLAYBOOKS, Call, err, out, verb
from clusterlab.pipeline.lock import Exclusive

if TYPE_CHECKING:
    from clusterlab.pipeline.pipeline import Pipeline

LESSON = (
    "the lesson: a play's path below the playbooks without .yml; without any, list all lessons and the progress in each"
)


@verb(
    Exclusive("learn"),
    {
        "play": LESSON,
        "inventory": INVENTORY,
        "playbooks": PLAYBOOKS,
        "hint": "show the next step, given the state of the hosts",
        "solution": "show all commands",
        "delete_data": "when a lesson begins, also remove its volumes that hold data",
        "dry_run": f"when a lesson begins, {DRY_RUN}",
    },
    lists=("play",),
    interrupted="`clusterlab learn` starts over; `clusterlab down` removes the machines.",
)
def learn(
    call: Call,
    play: list[str],
    inventory: str = "",
    playbooks: str = "playbooks",
    hint: bool = False,
    solution: bool = False,
    delete_data: bool = False,
    dry_run: bool = False,
) -> None:
    """Do a lesson yourself, with hints; `check` shows what passes.

    The hosts are prepared without the objects of the lesson, and the task is described in words.
    """
    from clusterlab.cli.locations import inventory_path, playbooks_path
    from clusterlab.cli.session import load
    from clusterlab.errors import UsageError
    from clusterlab.learning import record
    from clusterlab.model import play_names
    from clusterlab.reports.learning import show_standings

    if hint and solution:
        raise UsageError("--hint and --solution are mutually exclusive", remedy="Give one of them.")
    if len(play) > 1:
        raise UsageError("one lesson at a time", remedy=f"For example `clusterlab learn {play[0]}`.")
    if not play:
        if hint or solution:
            raise UsageError("a lesson is required", remedy="`clusterlab learn` lists the lessons.")
        path = inventory_path(inventory)
        _, lab = load(inventory, play_names(playbooks_path(playbooks, [], path)), playbooks)
        show_standings(out(), {name: one.title for name, one in lab.plays.items()}, record.read())
        return
    options = "".join(f" {flag} {value}" for flag, value in (("-i", inventory),) if value)
    if solution:
        _show_solution(play, inventory, playbooks)
    elif hint:
        _show_hint(call, play, inventory, playbooks)
    elif dry_run:
        _show_beginning(call, play, inventory, playbooks, delete_data)
    else:
        _begin(call, play, inventory, playbooks, delete_data, options)


def _show_solution(play: list[str], inventory: str, playbooks: str) -> None:
    from clusterlab.cli.session import load
    from clusterlab.manual.lesson import lesson
    from clusterlab.reports.lesson import show_lesson
    from clusterlab.reports.progress import progress_on

    path, lab = load(inventory, play, playbooks)
    with progress_on(err()) as progress:
        one = lesson(lab, play[0], str(path), progress)
    show_lesson(out(), lab, one)


def _show_hint(call: Call, play: list[str], inventory: str, playbooks: str) -> None:
    from clusterlab.cli.session import session
    from clusterlab.learning.task import next_step
    from clusterlab.manual.lesson import lesson
    from clusterlab.pipeline.pipeline import Pipeline
    from clusterlab.reports.learning import show_step

    with session(call, inventory, play, playbooks) as lab:
        one = lesson(lab.lab, play[0], str(lab.lab.file), lab.progress, lab.unsupported)
        part, result = next_step(one, Pipeline(lab))
    show_step(out(), part, result)


def _show_beginning(call: Call, play: list[str], inventory: str, playbooks: str, delete_data: bool) -> None:
    from clusterlab.cli.dry_run import show_learn
    from clusterlab.cli.session import session
    from clusterlab.pipeline.pipeline import Pipeline

    with session(call.dry(True), inventory, play, playbooks) as lab:
        show_learn(out(), Pipeline(lab), play[0], delete_data)


def _begin(call: Call, play: list[str], inventory: str, playbooks: str, delete_data: bool, options: str) -> None:
    from clusterlab.cli.output import show_stage
    from clusterlab.cli.session import session
    from clusterlab.learning import record
    from clusterlab.learning.task import things
    from clusterlab.manual.lesson import lesson
    from clusterlab.pipeline.pipeline import NotConverged, Pipeline
    from clusterlab.reports.learning import show_task

    with session(call, inventory, play, playbooks) as lab:
        pipeline = Pipeline(lab, on_report=show_stage)
        try:
            _prepare(pipeline, play[0], delete_data)
        except NotConverged as error:
            from invoke.exceptions import Exit

            raise Exit(code=3) from error
        one = lesson(lab.lab, play[0], str(lab.lab.file), lab.progress, lab.unsupported)
        record.begin(play[0], len(one.statements))
        loaded = lab.lab
    show_task(out(), loaded, one, things(one), options)


def _prepare(pipeline: Pipeline, play: str, delete_data: bool) -> None:
    """Machines in their roles, without what was created for the lesson before."""
    pipeline.up()
    pipeline.provision()
    pipeline.take_away(play, delete_data)
