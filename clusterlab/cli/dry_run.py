"""What verbs show with --dry-run: what they would do, without doing it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from rich.console import Console
from rich.text import Text

from clusterlab.cli.output import show_changes
from clusterlab.connectivity.names import PLAY as CLUSTER_TEST
from clusterlab.faults.injection import Injection
from clusterlab.faults.kind import OnHost
from clusterlab.machines import Machines, State
from clusterlab.machines.saved_labs import saved_lab_of
from clusterlab.machines.snapshots import snapshots_of
from clusterlab.model import Lab
from clusterlab.pipeline.pipeline import Pipeline
from clusterlab.reports.terminal import show_status

_UP: Mapping[State, str] = {
    "absent": "would be created",
    "stopped": "would be started",
    "starting": "would be waited for",
    "unreachable": "would be brought up again",
    "running": "stays as it is",
}


def show_up(console: Console, machines: Machines, *, fresh: bool = True) -> bool:
    """Say what `up` would do with each machine; `fresh` if none is started from the saved lab.

    Returns whether all run, so that hosts can be inspected.
    """
    statuses = machines.status()
    doing = dict(_UP)
    if not machines.kind.creates:
        doing["unreachable"] = "does not answer, and clusterlab does not start it"
    saved = None if fresh else saved_lab_of(machines)
    if saved is not None and saved.is_new and saved.fits:
        doing["absent"] = "would be started as it was saved when it was provisioned"
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
    if show_up(console, pipeline.session.machines, fresh=pipeline.fresh):
        show_changes(pipeline, *pipeline.planned(), json)
    else:
        console.print("What would change on the hosts is known once they are running.", soft_wrap=True)
    for name, play in lab.plays.items():
        console.print(f"{name}: {len(play.checks)} statements would be checked", highlight=False, soft_wrap=True)


def show_check(console: Console, lab: Lab) -> None:
    """Say what `check` would prove, and what it would change meanwhile; asks no host."""
    for name, play in lab.plays.items():
        console.print(Text(name, "bold underline"))
        for check in play.checks:
            doing = [step.do.name for step in check.steps if step.do]
            acts = f"  ({', '.join(doing)}; undone at its end)" if doing else ""
            lacks = f"  unsupported: {check.lacks}" if check.lacks else ""
            console.print(Text(f"  {check.title}{acts}{lacks}"), soft_wrap=True)


def show_cluster_test(console: Console, lab: Lab) -> None:
    """Say what `test-cluster` would create for its time, and prove; asks no host."""
    play = lab.plays.get(CLUSTER_TEST)
    for section in ("volumes", "networks", "containers", "services") if play else ():
        if names := list(getattr(play, section)):
            console.print(Text(f"{section} for the time of the test: {', '.join(names)}"), soft_wrap=True)
    for check in play.checks if play else ():
        console.print(Text(f"  {check.title}"), soft_wrap=True)
    console.print("Statements about existing volumes and services are added when the test runs.")


def show_snapshot(console: Console, machines: Machines, name: str, remove: bool) -> None:
    """Say what `snapshot` would do. Raises UsageError for a name that it would refuse."""
    snapshots = snapshots_of(machines)
    if remove:
        snapshots.require(name)
        console.print(f"the snapshot {name} would be removed", highlight=False, markup=False)
        return
    snapshots.require_free(name)
    statuses = machines.status()
    saved = {True: "would be saved", False: "does not run: a snapshot needs all machines running"}
    show_status(console, [replace(one, detail=saved[one.state == "running"]) for one in statuses])


def show_restore(console: Console, machines: Machines, name: str) -> None:
    """Say what `restore` would do. Raises UsageError when there is no such snapshot."""
    snapshots = snapshots_of(machines)
    snapshots.require(name)
    (known,) = (one for one in snapshots.known() if one.name == name)
    if known.incompatibilities:
        console.print(f"{name} cannot be restored: {'; '.join(known.incompatibilities)}", highlight=False, markup=False)
        return
    at = f"{known.taken:%Y-%m-%d %H:%M}" if known.taken else "then"
    statuses = machines.status()
    console.print(f"What the machines did since {at} would be lost.", highlight=False, markup=False)
    show_status(console, [replace(one, detail=f"would be as it was at {at}") for one in statuses])


def show_learn(console: Console, pipeline: Pipeline, lesson: str, delete_data: bool) -> None:
    """Say what the beginning of a lesson would do with the machines and on them."""
    if not show_up(console, pipeline.session.machines):
        console.print("What would change on the hosts is known once they are running.", soft_wrap=True)
        return
    if changes := pipeline.provision_changes():
        show_changes(pipeline, changes, [], "")
        return
    show_changes(pipeline, pipeline.clean_changes(delete_data, lesson), [], "")


def show_fault(console: Console, injection: Injection) -> None:
    """Say what a fault would do, and where."""
    console.print(Text(f"{injection}; hosts heal themselves after {injection.limit:g} s", "bold"), soft_wrap=True)
    for part in injection.planned():
        if isinstance(part, OnHost):
            console.print(Text(f"{part.host}:"))
            for line in part.inject.strip().splitlines():
                console.print(Text(f"  {line}"), soft_wrap=True)
        else:
            console.print(Text(f"{part.host}: {part.operation} from outside"), soft_wrap=True)
