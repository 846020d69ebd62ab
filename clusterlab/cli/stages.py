"""The stages that verbs are made of: plan, carry out, prove, finish."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from invoke.exceptions import Exit

from clusterlab.checks import run_checks
from clusterlab.checks.chain import longest_chain
from clusterlab.cli.session import Session
from clusterlab.cli.verb import err, out
from clusterlab.errors import ClusterlabError, UsageError
from clusterlab.machines.state import LabState
from clusterlab.plan import apply, clean, provision
from clusterlab.plan.graph import carry_out
from clusterlab.plan.report import Report
from clusterlab.reports.junit import junit
from clusterlab.reports.plan import plan_document, report_document, show_plan, show_report
from clusterlab.reports.summary import Run, write_json, write_text
from clusterlab.reports.terminal import show_results
from clusterlab.resources.base import Change, Skipped
from clusterlab.results import Result


def provision_changes(session: Session, remove_nodes: bool = False) -> list[Change]:
    """What the hosts lack for their roles."""
    with session.progress.task(session.lab.name, "look at the hosts"):
        return provision.provision(session.lab, session.hosts, session.unsupported, session.progress, remove_nodes)


def apply_changes(session: Session, allow_data_loss: bool = False) -> list[Change]:
    """What the plays lack on the hosts."""
    with session.progress.task(session.lab.name, "look at the engines"):
        return apply.apply(session.lab, session.hosts, allow_data_loss, session.unsupported, session.progress)


def clean_changes(session: Session, delete_data: bool) -> list[Change]:
    """What bears the lab's label on the hosts."""
    with session.progress.task(session.lab.name, "look at the engines"):
        return clean.clean(session.lab.name, session.hosts, delete_data)


def left_out(session: Session) -> list[Skipped]:
    """What these machines cannot have."""
    return [
        *provision.left_out(session.lab, session.unsupported),
        *apply.left_out(session.lab, session.unsupported),
    ]


def planned(session: Session, allow_data_loss: bool) -> list[Change]:
    """The changes of provision and apply together; engines are asked only when provision leaves nothing to do."""
    changes = provision_changes(session)
    if changes:
        session.progress.say(session.lab.name, "what apply would change can be told once the hosts are provisioned")
        return changes
    return apply_changes(session, allow_data_loss)


def show_planned(session: Session, changes: Sequence[Change], json: str) -> None:
    """Print a plan, or write it as JSON."""
    skipped = left_out(session)
    if json:
        document = plan_document(session.lab.name, changes, skipped)
        write_json(Path(json), {**document, "counts": session.counts()})
    if json != "-":
        show_plan(out(), changes, skipped)


def converge(session: Session, verb: str, changes: Sequence[Change], json: str = "") -> Report:
    """Carry changes out and show what became of them; raises KeyboardInterrupt when that was interrupted."""
    began = time.monotonic()
    report = carry_out(changes, session.progress)
    if json:
        document = report_document(session.lab.name, verb, report, time.monotonic() - began)
        write_json(Path(json), {**document, "counts": session.counts()})
    show_report(err(), verb, report)
    if report.interrupted:
        raise KeyboardInterrupt
    return report


def to_the_wanted_state(session: Session, allow_data_loss: bool) -> bool:
    """Up, provision and apply; returns whether apply made every change.

    Checks are worth asking after an incomplete apply: they say what does not hold. Without machines or their roles they
    are not, so that ends with exit code 3.
    """
    with session.stage("up"):
        session.machines.up(session.progress)
    with session.stage("provision"):
        must(converge(session, "provision", provision_changes(session)))
    with session.stage("apply"):
        return converge(session, "apply", apply_changes(session, allow_data_loss)).ok


def must(report: Report) -> None:
    """End with exit code 3 unless every change was made; what was not is shown already."""
    if not report.ok:
        raise Exit(code=3)


def report_left_over(session: Session) -> None:
    """Say what clean has left on the hosts; ends with exit code 3 if there is anything."""
    left = clean.left_over(session.lab.name, session.hosts)
    for thing in left:
        session.progress.say("left", thing)
    if left:
        raise Exit(code=3)
    session.progress.say(session.lab.name, "nothing is left on the hosts")


def begin(session: Session, verb: str, strict: bool = False) -> Run:
    """Start a run; raises UsageError when the plays state nothing that could be proven.

    Runs on existing machines are strict: their clusters are depended on, so what cannot be proven is a failure.
    """
    if not any(play.checks for play in session.lab.plays.values()):
        raise UsageError(
            "there is nothing to check", remedy="Name a play that has checks, or write one below playbooks/."
        )
    return Run(session.lab.name, verb, strict=strict or session.machines.kind.foreign)


def prove(session: Session, run: Run) -> None:
    """Ask every check and put the results, in the plays' order, into `run`."""
    with session.stage("check"):
        run.results = run_checks(session.lab, session.hosts, session.unsupported, _nothing, session.progress)
    run.chain = longest_chain(session.lab, session.hosts, run.results)
    run.stages = dict(session.stages)


def _nothing(result: Result) -> None:
    """Progress shows the checks already."""


def finish(run: Run, json: str, junit_file: str, converged: bool = True) -> None:
    """Show and write the results, and end with the exit code that they mean."""
    run.seconds = sum(run.stages.values())
    kept = LabState(run.lab).folder / "last-run.json"
    if kept.parent.is_dir():
        write_json(kept, run.document())
    if json:
        write_json(Path(json), run.document())
    if junit_file:
        write_text(Path(junit_file), junit(run))
    if "-" not in (json, junit_file):
        show_results(out(), run)
        if run.exit_code and kept.is_file():
            err().print(f"All evidence, logs included: {kept}", highlight=False, soft_wrap=True)
    raise Exit(code=run.exit_code or (0 if converged else 3))


@contextmanager
def ends_with_document(run: Run, json: str) -> Iterator[None]:
    """Write `--json` also when the run ends before its checks, with the error in place of results."""
    try:
        yield
    except ClusterlabError as error:
        if json:
            said = {"message": error.message, "remedy": error.remedy, "detail": error.detail}
            write_json(Path(json), {**run.document(), "outcome": "error", "error": said})
        raise
