"""A night: from a known state over apply, check and a second apply to a kept report.

Every stage is in the result, also when it could not be carried out. What one stage cannot do keeps back only those
that need it, and the checks that were not asked say why.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from threading import Event
from typing import Literal

from clusterlab.checks import run_checks
from clusterlab.errors import ClusterlabError, Several
from clusterlab.machines import Machines
from clusterlab.machines.snapshots import snapshots_of
from clusterlab.machines.state import LabBusy, LabState
from clusterlab.model import Lab
from clusterlab.nightly.deadline import Deadline, Passed
from clusterlab.nightly.hosts import ask_hosts, ask_versions
from clusterlab.nightly.known_state import Start, to_known_state
from clusterlab.nightly.logs import collect_logs
from clusterlab.nightly.notify import notify, summary
from clusterlab.nightly.record import Record
from clusterlab.nightly.second_apply import changes_nothing
from clusterlab.nightly.stages import Skip, Stages
from clusterlab.nightly.waivers import Waiver, apply_waivers
from clusterlab.plan import apply, clean, provision
from clusterlab.plan.graph import carry_out
from clusterlab.plan.report import Report
from clusterlab.progress import Progress
from clusterlab.remote import Hosts
from clusterlab.reports.night import Night, night_verdict
from clusterlab.reports.plan import report_summary
from clusterlab.resources.base import Change
from clusterlab.results import Evidence, Outcome, Result

Keep = Literal["on-failure", "always", "never"]
KEEPS: tuple[Keep, ...] = ("on-failure", "always", "never")
WORK = ("lock", "start", "hosts", "provision", "apply", "check", "apply again")
"""The stages before the end, in their order."""
SAVE_SECONDS = 2.0  # between two writings while checks go on


@dataclass(frozen=True)
class Options:
    """How a night goes. Times are in seconds."""

    start: Start
    keep: Keep
    deadline: float
    wait: float = 0.0  # for another command to leave the lab
    notify: tuple[str, ...] = ()
    notify_deadline: float = 60.0


class Nightly:
    """One night of a lab. `carry_out` never raises for what the lab does: that is in the night's stages and results."""

    def __init__(
        self,
        lab: Lab,
        machines: Machines,
        options: Options,
        waivers: Sequence[Waiver],
        record: Record,
        progress: Progress,
    ) -> None:
        self._lab = lab
        self._machines = machines
        self._options = options
        self._waivers = waivers
        self._record = record
        self._progress = progress
        self._deadline = Deadline(options.deadline)
        self._stages = Stages(record, self._deadline, progress)
        self._closing = ExitStack()
        self._hosts: Hosts | None = None
        self._converged = 0  # how many of provision and apply made everything
        self._saved = time.monotonic()
        self.night: Night = record.night

    def carry_out(self) -> Night:
        """All stages; raises KeyboardInterrupt when interrupted, after which the run is kept as unfinished."""
        with self._closing:
            try:
                with self._deadline.work():
                    self._work()
            except Passed as passed:  # between two stages
                self._stages.stopped = str(passed)
            self._stages.note_untried(WORK)
            self._settle_checks()
            try:
                with self._deadline.closing():
                    self._close()
            except Passed as passed:
                self.night.notes.append(f"{passed}: the end of the night is missing")
        self._record.finish()
        return self.night

    def _work(self) -> None:
        fresh = self._options.start.kind != "apply"
        for name, work, essential in (
            ("lock", self._take_lock, True),
            ("start", self._start, fresh),
            ("hosts", self._ask_hosts, True),
            ("provision", self._provision, False),
            ("apply", self._apply, False),
            ("check", self._check, False),
            ("apply again", self._apply_again, False),
        ):
            self._stages.carry_out(name, work, essential)

    def _close(self) -> None:
        """The end: each of its stages is tried, whatever became of the others; only a lab that is ours is touched."""
        not_ours = "" if self._stages.succeeded("lock") else "the lab's lock, which could not be had"
        for name, work in (("collect", self._collect), ("clean up", self._clean_up)):
            self._stages.stopped = not_ours
            self._stages.carry_out(name, work)
        for name, work in (("write", self._record.write), ("notify", self._notify)):
            self._stages.stopped = ""
            self._stages.carry_out(name, work)

    def _take_lock(self) -> str:
        """Take the lab's lock, waiting for it as long as asked."""
        began = time.monotonic()
        said = False
        while True:
            try:
                self._closing.enter_context(LabState(self._lab.name).lock("nightly"))
                return f"waited {time.monotonic() - began:.0f} s for it" if said else ""
            except LabBusy as busy:
                if time.monotonic() - began >= self._options.wait:
                    raise
                if not said:
                    self._progress.say("lock", f"waiting up to {self._options.wait:g} s: {busy.message}")
                said = True
                Event().wait(0.5)

    def _start(self) -> str:
        return to_known_state(self._options.start, self._machines, self._progress)

    def _ask_hosts(self) -> str:
        self._hosts = self._closing.enter_context(Hosts(self._machines.targets()))
        with self._progress.task(self._lab.name, "ask every host"):
            results, self.night.versions = ask_hosts(self._lab, self._hosts)
        self.night.results += results
        silent = [result for result in results if result.outcome is Outcome.ERROR]
        if silent and len(silent) == len(results):
            errors = [ClusterlabError(result.evidence[0].found, remedy=result.hint) for result in silent]
            raise Several(errors)
        return f"{len(results) - len(silent)} of {len(results)} answer"

    def _open_hosts(self) -> Hosts:
        if self._hosts is None:
            raise Skip("the hosts were not reached")
        return self._hosts

    def _provision(self) -> str:
        return self._converge(self._look_provision())

    def _apply(self) -> str:
        return self._converge(self._look_apply())

    def _look_provision(self) -> list[Change]:
        with self._progress.task(self._lab.name, "look at the hosts"):
            return provision.provision(self._lab, self._open_hosts(), self._machines.unsupported(), self._progress)

    def _look_apply(self) -> list[Change]:
        with self._progress.task(self._lab.name, "look at the engines"):
            return apply.apply(self._lab, self._open_hosts(), False, self._machines.unsupported(), self._progress)

    def _converge(self, changes: list[Change]) -> str:
        """Make the changes; raises ClusterlabError with all that was not made."""
        report = carry_out(changes, self._progress)
        self._raise_interrupt(report)
        if not report.ok:
            steps = "\n".join(report.next_steps())
            raise ClusterlabError(report_summary(report), remedy=steps, detail=_not_made(report))
        self._converged += 1
        return report_summary(report)

    def _raise_interrupt(self, report: Report) -> None:
        """carry_out ends in order when interrupted: say now that it was."""
        if report.interrupted:
            raise self._deadline.interruption()

    def _check(self) -> str:
        before = len(self.night.results)
        results = run_checks(
            self._lab, self._open_hosts(), self._machines.unsupported(), self._keep_result, self._progress
        )
        self.night.results[before:] = results  # as they ended before, in the plays' order now
        return f"{len(results)} checks"

    def _keep_result(self, result: Result) -> None:
        self.night.results.append(result)
        if time.monotonic() - self._saved > SAVE_SECONDS:
            self._record.save()
            self._saved = time.monotonic()

    def _apply_again(self) -> str:
        """Look once more: after a complete apply, nothing may be left to change."""
        if self._converged < 2:
            raise Skip("provision and apply did not make everything, so there is something left to change")
        changes = [*self._look_provision(), *self._look_apply()]
        self.night.results.append(changes_nothing(changes))
        return f"{len(changes)} changes would be made" if changes else "nothing would be changed"

    def _settle_checks(self) -> None:
        """Give every check a result, and apply the waivers."""
        asked = {(result.play, result.check) for result in self.night.results}
        why = self._stages.stopped or "the stage check did not come to its end"
        self.night.results += [
            _not_asked(play, check.title, check.kind or "steps", why)
            for play, found in self._lab.plays.items()
            for check in found.checks
            if (play, check.title) not in asked
        ]
        waived = apply_waivers(self.night.results, self._waivers, date.today())
        self.night.results = waived.results
        self.night.notes += waived.notes

    def _collect(self) -> str:
        folder = self._record.logs
        if folder is None:
            raise Skip("there is no run folder to collect in")
        with self._progress.task(self._lab.name, "collect logs"):
            if self._hosts is not None:
                self.night.versions |= ask_versions(self._lab, self._hosts)
            logs = collect_logs(self._lab, self._machines, self._hosts, self.night.started, folder, self._progress)
        return f"{folder}: {logs}"

    def _clean_up(self) -> str:
        verdict = night_verdict(self.night.results, self.night.stages, self.night.strict)
        if self._options.keep == "always":
            raise Skip("the lab is kept, as always")
        if self._options.keep == "on-failure" and verdict not in ("pass", "flaky"):
            raise Skip("the lab is kept for you to look at, because not all is well")
        if not self._machines.kind.creates:
            return self._clean()
        if self._options.start.kind == "restore":  # the next night is to find what it starts from
            snapshots_of(self._machines).end_machines(self._progress)
            return f"the machines are ended; the snapshot {self._options.start.snapshot} is kept"
        self._machines.down(self._progress)
        return "the machines are removed"

    def _clean(self) -> str:
        """Remove what apply made from hosts that stay; volumes that hold data are not removed."""
        hosts = self._open_hosts()
        report = carry_out(clean.clean(self._lab.name, hosts), self._progress)
        self._raise_interrupt(report)
        if report.failed:
            raise ClusterlabError(report_summary(report), detail=_not_made(report))
        left = clean.left_over(self._lab.name, hosts)
        return f"{len(report.done)} things removed" + (f", left: {', '.join(left)}" if left else "")

    def _notify(self) -> str:
        if not self._options.notify:
            raise Skip("no command was given")
        report = self._record.report
        notify(list(self._options.notify), summary(self.night, str(report or "")), self._options.notify_deadline)
        return "told"


def _not_asked(play: str, check: str, kind: str, why: str) -> Result:
    evidence = Evidence("", "", check, f"not asked: {why}", holds=False)
    return Result(play, check, kind, Outcome.ERROR, 0, evidence=(evidence,))


def _not_made(report: Report) -> str:
    lines = [f"{one.change.key}: {one.error.message}" for one in report.failed]
    lines += [f"{change.key}: blocked: {change.blocked}" for change in report.blocked]
    lines += [f"{one.change.key}: not tried, because of {'; '.join(map(str, one.because))}" for one in report.skipped]
    return "\n".join(lines)
