"""A nightly run: start, apply, check, apply again and doctor, to a kept report.

It starts from a known state.

Every stage is in the result, also when it could not be carried out. What one stage cannot do keeps back only those
that need it, and the checks that were not run say why.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Literal

from clusterlab.connectivity.connectivity import look, remove
from clusterlab.connectivity.play import Options as TestOptions
from clusterlab.errors import ClusterlabError, Several
from clusterlab.machines.lab_lock import LabBusy
from clusterlab.machines.snapshots import snapshots_of
from clusterlab.model import Lab
from clusterlab.nightly.hosts import ask_hosts, ask_versions
from clusterlab.nightly.known_state import Start, to_known_state
from clusterlab.nightly.logs import collect_logs
from clusterlab.nightly.nightly_run import NightlyRun, run_verdict
from clusterlab.nightly.notify import notify, summary
from clusterlab.nightly.record import Record
from clusterlab.nightly.second_apply import changes_nothing
from clusterlab.nightly.waivers import Waiver, apply_waivers
from clusterlab.pipeline.deadline import Deadline, Passed
from clusterlab.pipeline.lock import Exclusive
from clusterlab.pipeline.pipeline import Pipeline, complete_results
from clusterlab.pipeline.session import open_session
from clusterlab.pipeline.stages import Skip, Stages
from clusterlab.progress import Progress
from clusterlab.results import Outcome, Result

if TYPE_CHECKING:
    from clusterlab.drills.run import Drilled

Keep = Literal["on-failure", "always", "never"]
KEEPS: tuple[Keep, ...] = ("on-failure", "always", "never")
SAVE_SECONDS = 2.0  # between two writings while checks go on


@dataclass(frozen=True)
class Options:
    """How a nightly run goes. Times are in seconds."""

    start: Start
    keep: Keep
    deadline: float
    wait: float = 0.0  # for another command to leave the lab
    notify: tuple[str, ...] = ()
    notify_deadline: float = 60.0
    connectivity: bool = False  # the lab has the play of the connectivity test
    drills: bool = False  # the plays' drills are carried out too


class NightlyRunner:
    """One nightly run of a lab.

    `carry_out` never raises for what the lab does: that is in its stages and results.
    """

    def __init__(
        self,
        lab: Lab,
        options: Options,
        waivers: Sequence[Waiver],
        record: Record,
        progress: Progress,
    ) -> None:
        self._lab = lab
        self._options = options
        self._waivers = waivers
        self._record = record
        self._progress = progress
        self._deadline = Deadline(options.deadline)
        self._closing = ExitStack()
        self._opened: Pipeline | None = None
        self._settled = False
        self._saved = time.monotonic()
        self.run: NightlyRun = record.run
        self._stages = Stages(
            self.run.stages,
            deadline=self._deadline,
            on_change=record.save,
            on_failure=lambda stage: progress.say(stage.name, stage.message),
        )

    def carry_out(self) -> NightlyRun:
        """All stages.

        Raises KeyboardInterrupt when interrupted, after which the run is kept as unfinished.
        """
        try:
            with self._closing:
                self._carry_out()
        except KeyboardInterrupt:
            self._settle_checks("the run was interrupted")
            self._record.save()
            raise
        except LabBusy as lost:  # on leaving: somebody took over hosts whose lock had expired
            self.run.notes.append(lost.message)
            self._record.problems.append(lost)
        self._record.finish()
        return self.run

    def _carry_out(self) -> None:
        try:
            with self._deadline.work():
                self._work()
        except Passed as passed:  # between two stages
            self._stages.stopped = str(passed)
        self._stages.note_untried(name for name, _, _ in self._work_stages())
        self._settle_checks(self._stages.stopped or "the stage check was not completed")
        try:
            with self._deadline.closing():
                self._close()
        except Passed as passed:
            self.run.notes.append(f"{passed}: the last stages are missing")

    def _work(self) -> None:
        for name, work, essential in self._work_stages():
            self._stages.carry_out(name, work, essential)

    def _work_stages(self) -> Iterator[tuple[str, Callable[[], str], bool]]:
        """The stages before the end, in order.

        With whether those after one cannot be tried without it.
        """
        fresh = self._options.start.kind != "apply"
        yield "lock", self._take_lock, True
        yield "start", self._start, fresh
        yield "hosts", self._ask_hosts, True
        yield "provision", self._provision, False
        if self._options.connectivity:
            yield "survey", self._survey, False
        yield "apply", self._apply, False
        yield "check", self._check, False
        yield "apply again", self._apply_again, False
        yield "doctor", self._doctor, False
        if self._options.drills:
            yield "drills", self._drills, False

    def _close(self) -> None:
        """The end: each of its stages is tried, whatever became of the others.

        Only a lab that is ours is touched.
        """
        not_ours = "" if self._stages.succeeded("lock") else "the lab's lock, which could not be acquired"
        ends = [("collect", self._collect), ("clean up", self._clean_up)]
        if self._options.connectivity:
            ends.insert(1, ("test removed", self._remove_test))
        for name, work in ends:
            self._stages.stopped = not_ours
            self._stages.carry_out(name, work)
        for name, work in (("write", self._record.write), ("notify", self._notify)):
            self._stages.stopped = ""
            self._stages.carry_out(name, work)

    def _take_lock(self) -> str:
        """Take the lab's lock, on its hosts too where others can reach them.

        Waits for it as long as given.
        """
        began = time.monotonic()
        wait = self._options.wait
        session = self._closing.enter_context(open_session(self._lab, self._progress, Exclusive("nightly"), wait))
        if session.machines.kind.foreign:
            session.hosts  # noqa: B018  # connecting locks them
        self._opened = Pipeline(
            session,
            on_result=self._keep_result,
            interruption=self._deadline.interruption,
            results=self.run.results,
        )
        waited = time.monotonic() - began
        return f"waited {waited:.0f} s for it" if waited >= 0.2 and wait else ""

    @property
    def _pipeline(self) -> Pipeline:
        if self._opened is None:
            raise Skip("the lab was not opened")
        return self._opened

    def _start(self) -> str:
        return to_known_state(self._options.start, self._pipeline.session.machines, self._progress)

    def _ask_hosts(self) -> str:
        hosts = self._pipeline.session.hosts
        with self._progress.task(self._lab.name, "contacting every host"):
            results, self.run.versions = ask_hosts(self._lab, hosts)
        self.run.results += results
        silent = [result for result in results if result.outcome is Outcome.ERROR]
        if silent and len(silent) == len(results):
            raise Several([ClusterlabError(result.evidence[0].found, remedy=result.hint) for result in silent])
        return f"{len(results) - len(silent)} of {len(results)} answer"

    def _provision(self) -> str:
        return self._pipeline.provision()

    def _survey(self) -> str:
        """Ask the cluster what it uses: the connectivity test proves that, too."""
        found = look(self._pipeline, TestOptions())
        self._lab = self._pipeline.session.lab
        return found

    def _apply(self) -> str:
        return self._pipeline.apply()

    def _check(self) -> str:
        return self._pipeline.check()

    def _keep_result(self, result: Result) -> None:
        if time.monotonic() - self._saved > SAVE_SECONDS:
            self._record.save()
            self._saved = time.monotonic()

    def _apply_again(self) -> str:
        """Look once more: after a complete apply, nothing may remain to be changed."""
        if not (self._stages.succeeded("provision") and self._stages.succeeded("apply")):
            raise Skip("provision and apply did not make every change, so some remain")
        changes = [*self._pipeline.provision_changes(), *self._pipeline.apply_changes()]
        self.run.results.append(changes_nothing(changes))
        return f"{len(changes)} changes would be made" if changes else "nothing would be changed"

    def _doctor(self) -> str:
        """Run doctor on the hosts; its findings stand beside the verdict of the statements."""
        from clusterlab.doctor.run import examined, of_lab

        session = self._pipeline.session
        hosts = {name: session.hosts[name] for name in session.hosts}
        examination = examined(of_lab(self._lab), self._progress, hosts=hosts)
        self.run.doctor = examination.document()
        return examination.verdict

    def _drills(self) -> str:
        """Break the lab on purpose, once all else has been seen.

        The drills' results follow those of the checks.
        """
        from clusterlab.drills.plan import all_plans
        from clusterlab.drills.stage import run_drills

        if not any(play.drills for play in self._lab.plays.values()):
            raise Skip("no play has drills")
        self._settle_checks("the stage check was not completed")
        plans = all_plans(self._lab)
        run_drills(self._pipeline.session, plans, None, self._keep_drill)
        return f"{len(plans)} drills"

    def _keep_drill(self, drilled: Drilled) -> None:
        waived = apply_waivers([drilled.result], self._waivers, date.today())
        self.run.results += waived.results
        self.run.notes += waived.notes
        self._record.save()

    def _settle_checks(self, reason: str) -> None:
        """Give every check a result, and apply the waivers."""
        if self._settled:
            return
        self._settled = True
        complete_results(self._lab, self.run.results, reason)
        waived = apply_waivers(self.run.results, self._waivers, date.today())
        self.run.results[:] = waived.results
        self.run.notes += waived.notes

    def _collect(self) -> str:
        folder = self._record.logs
        if folder is None:
            raise Skip("there is no run folder to collect in")
        with self._progress.task(self._lab.name, "collecting logs"):
            session = self._pipeline.session
            hosts = session.hosts if session.reached else None
            if hosts is not None:
                self.run.versions |= ask_versions(self._lab, hosts)
            logs = collect_logs(self._lab, session.machines, hosts, self.run.started, folder, self._progress)
        return f"{folder}: {logs}"

    def _remove_test(self) -> str:
        """Remove what the connectivity test created, whatever becomes of the lab.

        It is not part of the lab.
        """
        return remove(self._pipeline, "test removed")

    def _clean_up(self) -> str:
        verdict = run_verdict(self.run.results, self.run.stages, self.run.strict)
        if self._options.keep == "always":
            raise Skip("the lab is kept, because of --keep always")
        if self._options.keep == "on-failure" and verdict not in ("pass", "flaky"):
            raise Skip("the lab is kept for inspection, because not everything passed")
        session = self._pipeline.session
        if not session.machines.kind.creates:
            return self._pipeline.clean()
        if self._options.start.kind == "restore":  # the next run is to find what it starts from
            snapshots_of(session.machines).end_machines(self._progress)
            return f"the machines are stopped; the snapshot {self._options.start.snapshot} is kept"
        session.machines.down(self._progress)
        return "the machines are removed"

    def _notify(self) -> str:
        if not self._options.notify:
            raise Skip("no command was given")
        report = self._record.report
        notify(list(self._options.notify), summary(self.run, str(report or "")), self._options.notify_deadline)
        return "the command received the summary"
