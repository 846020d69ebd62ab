"""The stages of the test.

Leftovers are removed, the cluster is surveyed, and the play applied, checked and removed.
"""

from __future__ import annotations

from clusterlab.pipeline.pipeline import NotConverged, Pipeline
from clusterlab.pipeline.stages import Stages
from clusterlab.plan import graph
from clusterlab.plan.apply import ASK

from .play import Options, untested, with_test, without_test
from .removal import removal
from .requirements import NotTestable, described
from .survey import survey


def carry_out(pipeline: Pipeline, stages: Stages, options: Options) -> None:
    """Carry out all stages.

    What was created is removed in any case, also after an interrupt, which is raised then.
    """
    stages.carry_out("leftovers", lambda: remove(pipeline, "leftovers", begins=True), essential=True)
    stages.carry_out("survey", lambda: look(pipeline, options))
    if isinstance(error := stages.errors.get("survey"), NotTestable):
        stages.stopped = error.message
    try:
        # What cannot be created on one node is reported there; the statements about all others are proven.
        stages.carry_out("apply", pipeline.apply)
        stages.carry_out("check", pipeline.check)
    finally:
        stages.stopped = ""
        stages.carry_out("clean", lambda: remove(pipeline, "clean"))


def look(pipeline: Pipeline, options: Options) -> str:
    """Ask the cluster what it uses, and make the play of the test prove that, too.

    Returns what is not tested. Raises NotTestable when nothing may be created there.
    """
    session = pipeline.session
    try:
        with session.progress.task(session.lab.name, "listing what its volumes and services use"):
            seen = survey(session.hosts, session.lab.inventory)
        for lab in sorted({one.lab for one in seen.strays}):
            some = [one for one in seen.strays if one.lab == lab]
            session.progress.say("left over", f"by the test of the lab {lab}: {described(some)}")
        session.lab = with_test(session.lab, options, seen)
    except NotTestable:
        session.lab = without_test(session.lab)
        raise
    rest = [
        *untested(session.lab, options, seen),
        *(f"mounts of a node that does not answer: {why}" for why in seen.silent),
    ]
    for one in rest:
        session.progress.say("not tested", one)
    return f"not tested: {'; '.join(rest)}" if rest else "all of it is tested"


def remove(pipeline: Pipeline, stage: str, *, begins: bool = False) -> str:
    """Remove what the test created on the hosts.

    Raises NotConverged with what remains. Before the test `begins`, hosts that do not answer are passed over as long
    as others do: the statements name them, and what is on them is found by the next test.
    """
    session = pipeline.session
    with session.progress.task(session.lab.name, "looking for objects of the test"):
        changes = removal(session.lab, session.hosts)
    silent = [one for one in changes if one.action == ASK]
    if begins and len(silent) < len(session.lab.inventory.docker_hosts):
        changes = [one for one in changes if one not in silent]
        for one in silent:
            session.progress.say(one.key.host, f"leftovers of an earlier test could not be checked: {one.blocked}")
    report = graph.carry_out(changes, session.progress)
    pipeline.reports[stage] = report
    if report.interrupted:
        raise pipeline.interruption()
    if not report.ok:
        pipeline.on_report(stage, report)
        raise NotConverged(report)
    return f"{len(report.done)} objects of the test removed"
