"""Running all checks of a lab.

Side by side, except where one changes what another is about.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from threading import Event

from clusterlab.capabilities import Capabilities
from clusterlab.model import Lab
from clusterlab.model.checks import Check
from clusterlab.model.reserved import shown
from clusterlab.progress import Progress
from clusterlab.remote import Hosts
from clusterlab.results import NOTHING_TO_PROBE, Cause, Evidence, Outcome, Result

from . import steps
from .actions import not_allowed
from .asking import turns_for
from .attempts import Asked, Interrupted, settle
from .dependencies import Dependencies, dependencies
from .finding import Finding
from .guard import CheckGuard, Guard
from .kinds import KINDS
from .logs import attach
from .places import Places
from .subjects import Subjects, subjects
from .swarm_managers import check_managers
from .unsupported import lacking, unmet_need, unsupported
from .urgency import by_urgency

_AT_ONCE = 8  # checks; what they ask of one host is bounded by its connection
_PER_PROCESSOR = 2  # checks, where the Docker hosts have few: more would only slow each other down
RESTORE_SECONDS = 120.0
"""How long running checks get to restore what they changed, after an interrupt or a deadline."""


@dataclass(frozen=True, eq=False)
class Job:
    """One check that is to run."""

    play: str  # as results have it
    check: Check
    places: Places
    subjects: Subjects
    needs: Dependencies = field(default_factory=Dependencies)

    def conflicts(self, other: Job) -> bool:
        """Whether one of the two must wait for the other."""
        return self.subjects.conflicts(other.subjects)


def run_checks(
    lab: Lab,
    hosts: Hosts,
    capabilities: Capabilities,
    on_result: Callable[[Result], None],
    progress: Progress,
) -> list[Result]:
    """Carry out every check of every play.

    Results come in the plays' order, after those about the Swarm's managers.

    `on_result` is called as each check ends, from the calling thread; again with the same result when an interrupt
    came while it was at work. `capabilities` says what hosts lack. What a ClusterlabError keeps from being asked
    becomes a result; other exceptions are defects and are raised, as is KeyboardInterrupt, after what running checks
    had changed is restored, or RESTORE_SECONDS later. `on_result` has the results of all that ended until then.
    """
    interrupted = Event()
    guard = Guard(lab, hosts)
    with progress.task(lab.name, "checking hosts, engines and the Swarm"):
        guard.begin()
    jobs = jobs_of(lab, hosts, interrupted, guard)
    at_once = _at_once(lab, guard)
    own: list[Result] = []  # of other statements than the plays'
    results: dict[Job, Result] = {}

    def run(job: Job) -> Result:
        if job.check.lacks:
            return lacking(job.play, job.check)
        need = unmet_need(job.check, lab, job.places.play, job.subjects, capabilities)
        if need:
            return unsupported(need, job.play, job.check, capabilities)
        cause = not_allowed(job.check, lab.inventory)
        if cause:
            return _blocked(job, cause)
        with progress.task(job.play, job.check.title) as task:
            try:
                result = _result(job, guard, interrupted)
            except Interrupted as stopped:
                if stopped.detail:
                    progress.say(job.play, f"not restored: {stopped.detail}")
                raise
            if result.outcome is not Outcome.PASS:
                task.bad(result.outcome.value)
            return result

    def ended(job: Job, result: Result) -> None:
        on_result(result)
        results[job] = result

    running: dict[Future[Result], Job] = {}
    pool = ThreadPoolExecutor(at_once, thread_name_prefix="check")
    try:
        _schedule(by_urgency(jobs), run, ended, pool, running, at_once)
        for result in check_managers(lab, [job.needs for job in jobs], guard, interrupted):
            own.append(result)
            on_result(result)
    except KeyboardInterrupt:
        progress.say(lab.name, f"interrupted: running checks get {RESTORE_SECONDS:.0f} s to restore what they changed")
        raise
    finally:
        interrupted.set()
        for future, job in _end(pool, running, RESTORE_SECONDS).items():
            if not future.done():
                progress.say(job.play, f"still running, and perhaps not restored: {job.check.title}")
            elif future.exception() is None and job not in results:
                ended(job, future.result())
    return [*own, *(results[job] for job in jobs)]


def jobs_of(lab: Lab, hosts: Hosts, interrupted: Event | None = None, guard: Guard | None = None) -> list[Job]:
    """Every check of every play, in the plays' order."""
    jobs, turns = [], turns_for(lab, guard)
    for name, play in lab.plays.items():
        places = Places(lab, play, hosts, interrupted, turns, guard)
        for check in play.checks:
            about = subjects(check, places)
            jobs.append(Job(shown(name), check, places, about, dependencies(check, lab, play, about)))
    return jobs


def _at_once(lab: Lab, guard: Guard) -> int:
    """How many checks run at the same time.

    As many as the processors of the Docker hosts bear.
    """
    processors = [guard.processors(host) for host in lab.inventory.docker_hosts]
    if not processors or not all(processors):
        return _AT_ONCE
    return min(_AT_ONCE, _PER_PROCESSOR * sum(processors))


def next_job(pending: Sequence[Job], running: Sequence[Job]) -> Job | None:
    """The first waiting job that conflicts with none that runs or waits before it.

    So conflicting checks keep their order, and none waits forever.
    """
    for index, job in enumerate(pending):
        if not any(job.conflicts(other) for other in (*running, *pending[:index])):
            return job
    return None


def _schedule(
    jobs: Sequence[Job],
    run: Callable[[Job], Result],
    ended: Callable[[Job, Result], None],
    pool: ThreadPoolExecutor,
    running: dict[Future[Result], Job],
    at_once: int = _AT_ONCE,
) -> None:
    """Run all jobs, `at_once` at most at a time.

    Those in `running` are under way when this raises.
    """
    pending = list(jobs)
    while pending or running:
        while len(running) < at_once and (job := next_job(pending, list(running.values()))):
            pending.remove(job)
            running[pool.submit(run, job)] = job
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            ended(running[future], future.result())
            del running[future]  # an interrupt before this leaves it to be reported again, never unreported


def _end(pool: ThreadPoolExecutor, running: dict[Future[Result], Job], seconds: float) -> dict[Future[Result], Job]:
    """Let what runs end, for at most this many seconds.

    Returned without what had not begun, which never will.
    """
    pool.shutdown(wait=False, cancel_futures=True)
    begun = {future: job for future, job in running.items() if not future.cancelled()}
    wait(begun, seconds)  # it would wait for cancelled ones until the end
    return begun


def _blocked(job: Job, cause: Cause) -> Result:
    evidence = Evidence(cause.subject, "", job.check.title, cause.summary, holds=False)
    kind = job.check.kind or "steps"
    return Result(
        job.play, job.check.title, kind, Outcome.BLOCKED, 0, evidence=(evidence,), hint=cause.remedy, cause=cause
    )


def _result(job: Job, guard: Guard, interrupted: Event) -> Result:
    began = time.monotonic()
    own = CheckGuard(guard, job.needs, interrupted)
    if cause := own.before(waits=job.check.within is not None):
        return replace(_blocked(job, cause), seconds=time.monotonic() - began)
    asked = _ask(job, own, interrupted)
    seconds = time.monotonic() - began
    findings, cause = asked.findings, asked.cause
    if asked.outcome is Outcome.UNSUPPORTED:
        cause = _nothing_to_probe(job.check, findings)
    elif not cause:
        findings = attach(findings, job.places, job.subjects, guard.unreachable)
    return Result(
        job.play,
        job.check.title,
        job.check.kind or "steps",
        asked.outcome,
        asked.attempts,
        seconds,
        tuple(item.evidence for item in findings),
        asked.cause.remedy if asked.cause else _hint(job.check, asked.outcome, findings),
        cause,
    )


def _ask(job: Job, guard: CheckGuard, interrupted: Event) -> Asked:
    check, probe = job.check, job.check.probe
    if probe is None:
        # Steps are one attempt as a whole, so that their actions are not repeated; `within` belongs to each of them.
        return steps.ask(check, job.places, interrupted, guard.after)
    ask = KINDS[check.kind].ask
    return settle(lambda: ask(probe, job.places), interrupted, check.within, check.for_, guard.after)


def _nothing_to_probe(check: Check, findings: Sequence[Finding]) -> Cause | None:
    """The cause of a derived statement for which there is nothing to probe.

    Who wrote a statement has claimed that there is something: strict runs fail without it.
    """
    first = next(item.evidence for item in findings if not item.evidence.holds)
    return Cause(NOTHING_TO_PROBE, first.place, first.found) if check.derived else None


def _hint(check: Check, outcome: Outcome, findings: Sequence[Finding]) -> str:
    if outcome is Outcome.PASS:
        return ""
    if check.hint and outcome is not Outcome.UNSUPPORTED:  # of which the reason is shown
        return check.hint
    return next((item.hint for item in findings if item.hint), "")
