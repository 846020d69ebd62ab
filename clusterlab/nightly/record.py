"""Keeping a nightly run while it goes on and when it has ended.

Its folder, and its place in the history.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from clusterlab.errors import ClusterlabError
from clusterlab.nightly.compare import compare, outcomes_of
from clusterlab.nightly.history import History
from clusterlab.nightly.nightly_run import CheckId, NightlyRun, run_verdict
from clusterlab.nightly.runs import RunFolder, Runs


@dataclass
class Record:
    """The run and where it is kept.

    A full disk does not keep it from being carried out.

    `problems` are what could not be written.
    """

    run: NightlyRun
    runs: Runs
    folder: RunFolder | None
    keep_runs: int = 30
    keep_days: float = 90
    problems: list[ClusterlabError] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)

    @property
    def logs(self) -> Path | None:
        return self.folder.logs if self.folder else None

    @property
    def report(self) -> Path | None:
        return self.folder.report if self.folder else None

    def save(self) -> None:
        """Write what there is so far.

        A failure is reported only if it still fails at the end.
        """
        self.run.seconds = round(time.monotonic() - self._began, 3)
        self._write(report=False)

    def write(self) -> str:
        """Settle the verdict, compare the run with its history, and write all of it.

        Raises ClusterlabError.
        """
        self._settle()
        problem = self._enter_history()
        self._write(report=True)
        if problem is not None:
            raise problem
        if self.problems:
            raise self.problems[0]
        removed = self.runs.beyond(self.keep_runs, self.keep_days)
        self.runs.remove(removed)
        return f"{len(removed)} old runs removed" if removed else ""

    def finish(self) -> None:
        """Write the last word, also when the stages of the end failed."""
        self._settle()
        self._write(report=True)
        try:
            with history(self.runs) as past:
                past.add(self.run)
        except ClusterlabError as error:
            self._problem(error)
        if self.folder:
            self.folder.close()

    def _settle(self) -> None:
        self.run.finished = True
        self.run.outcome = run_verdict(self.run.results, self.run.stages, self.run.strict)
        self.run.seconds = round(time.monotonic() - self._began, 3)

    def _write(self, report: bool) -> None:
        if self.folder is None:
            return
        try:
            self.folder.write(self.run)
        except ClusterlabError as error:
            if report:
                self._problem(error)

    def _problem(self, error: ClusterlabError) -> None:
        if error.message not in [problem.message for problem in self.problems]:
            self.problems.append(error)

    def _enter_history(self) -> ClusterlabError | None:
        """Compare with what was before and add this run.

        Returns why that was not possible.
        """
        try:
            with history(self.runs) as past:
                self.run.notes += past.notes
                self._catch_up(past)
                before = past.before(self.run.number)
                if before is not None:
                    run, outcomes = before
                    self.run.changes = compare(outcomes, outcomes_of(self.run.results), run.run, run.started)
                past.add(self.run)
                checks = dict.fromkeys(CheckId(result.play, result.check) for result in self.run.results)
                self.run.trends = [past.trend(check) for check in checks]
        except ClusterlabError as error:
            self._problem(error)
            return error
        return None

    def _catch_up(self, past: History) -> None:
        """Record runs that are not in the history yet.

        Those that ended before they could record themselves, and all that are kept when the history is new.

        The last one is read in any case: it may have ended after it was recorded, and reported nothing.
        """
        known = {run.number for run in past.runs()}
        earlier = [run for run in self.runs.all() if run.number < self.run.number and not run.is_running()]
        for run in earlier:
            if run.number in known and run is not earlier[-1]:
                continue
            try:
                nightly_run = run.read()
            except ClusterlabError as error:
                self.run.notes.append(f"the run {run.name} cannot be read: {error.message}")
                continue
            if last := _ended_in(nightly_run):
                self.run.notes.append(f"the run {run.name} did not finish: it ended in the stage {last}")
            if run.number not in known:
                past.add(nightly_run)


def _ended_in(nightly_run: NightlyRun) -> str:
    """The stage in which a run ended before its time; "" when it came to its end."""
    last = nightly_run.stages[-1] if nightly_run.stages else None
    if nightly_run.finished and (last is None or last.outcome != "under way"):
        return ""
    return last.name if last else "begin"


def history(runs: Runs) -> History:
    """The history of a lab, opened; raises ClusterlabError."""
    return History(runs.folder / "history.sqlite3")


def begin(nightly_run: NightlyRun, runs: Runs, keep_runs: int, keep_days: float) -> Record:
    """Begin to keep `nightly_run`, whose run and number are given here.

    Without a folder when none can be created.
    """
    last = 0
    problems: list[ClusterlabError] = []
    try:
        with history(runs) as past:
            nightly_run.notes += past.notes
            last = past.last_number()
    except ClusterlabError:
        pass  # reported at the end, when the run is recorded
    folder = None
    try:
        folder = runs.begin(after=last)
        nightly_run.run, nightly_run.number = folder.name, folder.number
    except ClusterlabError as error:
        problems.append(error)
        nightly_run.run, nightly_run.number = nightly_run.started.strftime("%Y%m%dT%H%M%SZ"), last + 1
    record = Record(nightly_run, runs, folder, keep_runs, keep_days, problems)
    record.save()
    return record
