"""What verbs show with --dry-run: what they would do, without doing it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from rich.console import Console

from clusterlab.cli.output import show_changes
from clusterlab.machines import Machines, State
from clusterlab.pipeline.pipeline import Pipeline
from clusterlab.reports.terminal import show_status

_UP: Mapping[State, str] = {
    "absent": "would be created",
    "stopped": "would be started",
    "starting": "would be waited for",
    "unreachable": "would be brought up again",
    "running": "stays as it is",
}


def show_up(console: Console, machines: Machines) -> bool:
    """Say what `up` would do with each machine.

    Returns whether all run, so that hosts can be inspected.
    """
    statuses = machines.status()
    doing = (
        _UP if machines.kind.creates else {**_UP, "unreachable": "does not answer, and clusterlab does not start it"}
    )
    show_status(console, [replace(one, detail=doing[one.state]) for one in statuses])
    return all(one.state == "running" for one in statuses)


def show_down(console: Console, machines: Machines) -> None:
    """Say what `down` would do with each machine."""
    would = "would be removed, with its disk" if machines.kind.creates else "stays: clusterlab did not create it"
    statuses = [replace(one, detail="" if one.state == "absent" else would) for one in machines.status()]
    show_status(console, statuses)


def show_run(console: Console, pipeline: Pipeline, json: str) -> None:
    """Say what `run` would do.

    With the machines, on them as far as they can be inspected, and what it would check.
    """
    lab = pipeline.session.lab
    if show_up(console, pipeline.session.machines):
        show_changes(pipeline, *pipeline.planned(), json)
    else:
        console.print("What would change on the hosts is known once they are running.", soft_wrap=True)
    for name, play in lab.plays.items():
        console.print(f"{name}: {len(play.checks)} statements would be checked", highlight=False, soft_wrap=True)
