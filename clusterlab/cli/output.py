"""What verbs show and write when their work has ended, or has been ended."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from invoke.exceptions import Exit

from clusterlab.checks.chain import longest_chain
from clusterlab.cli.output_files import OutputFiles
from clusterlab.cli.verb import err, out
from clusterlab.errors import ClusterlabError
from clusterlab.learning import record
from clusterlab.machines.state import LabState
from clusterlab.nightly.nightly_run import from_run
from clusterlab.pipeline.pipeline import NotConverged, Pipeline, complete_results
from clusterlab.pipeline.stages import Stages
from clusterlab.plan.report import Report
from clusterlab.plan.stack_plan import StackPlan
from clusterlab.reports.learning import standing_text
from clusterlab.reports.picture import picture_of
from clusterlab.reports.plan import plan_document, report_document, show_plan, show_report
from clusterlab.reports.stack_plan import show_stack_plans, stack_plan_documents
from clusterlab.reports.summary import Run, write_json
from clusterlab.reports.terminal import show_error, show_results
from clusterlab.resources.base import Change


def show_changes(pipeline: Pipeline, changes: Sequence[Change], stacks: Sequence[StackPlan], json: str) -> None:
    """Print a plan and what it means for stacks, or write it as JSON."""
    session, skipped = pipeline.session, pipeline.left_out()
    if json:
        document = plan_document(session.lab.name, changes, skipped)
        document["stacks"] = stack_plan_documents(stacks)
        write_json(Path(json), {**document, "counts": session.counts()})
    if json != "-":
        show_stack_plans(out(), stacks)
        show_plan(out(), changes, skipped)


def show_stage(stage: str, report: Report) -> None:
    """Show what became of the changes of a stage."""
    show_report(err(), stage, report)


@contextmanager
def converging(
    pipeline: Pipeline, verb: str, json: str, more: Mapping[str, Any] = MappingProxyType({})
) -> Iterator[None]:
    """Carry out one stage in the block.

    Its report is shown and written, also when it is interrupted.

    `more` is added to what is written. Ends with exit code 3 unless every change was made.
    """
    began = time.monotonic()

    def write(stage: str, report: Report) -> None:
        show_stage(stage, report)
        if json:
            document = report_document(pipeline.session.lab.name, verb, report, time.monotonic() - began)
            write_json(Path(json), {**document, **more, "counts": pipeline.session.counts()})

    pipeline.on_report = write
    try:
        yield
    except NotConverged as error:
        raise Exit(code=3) from error


def show_remaining(pipeline: Pipeline) -> None:
    """Say what clean has left on the hosts, if it came so far."""
    progress = pipeline.session.progress
    for thing in pipeline.remaining or []:
        progress.say("remaining", thing)
    if pipeline.remaining == []:
        progress.say(pipeline.session.lab.name, "nothing remains on the hosts")


_PARTIAL = ("apply", "clean")
"""Stages without which statements are still proven."""


class RunOutput:
    """What `check` and `run` show and write.

    Everything there is, also when they fail or are interrupted.
    """

    def __init__(self, pipeline: Pipeline, run: Run, files: OutputFiles) -> None:
        self._pipeline = pipeline
        self._run = run
        self._files = files
        self._began = time.monotonic()
        self.stages = Stages()

    def interrupted(self, again: str) -> None:
        """Write what there is after an interrupt; the checks that were not run say so."""
        error = ClusterlabError("interrupted", remedy=again)
        ended = len(self._pipeline.results)
        self._collect("the run was interrupted", error)
        self._write()
        if self._files.named:
            written = " and ".join(self._files.named)
            summary = f"{ended} of {len(self._run.results)} checks had ended; written to {written}"
            err().print(summary, highlight=False, soft_wrap=True)

    def finish(self) -> None:
        """Write and show the results, and end with the exit code that they mean."""
        errors = self.stages.errors
        fatal = next((error for name, error in errors.items() if name not in _PARTIAL), None)
        if fatal is not None:
            self._collect(self.stages.stopped or fatal.message, fatal)
            self._write()
            if not isinstance(fatal, NotConverged):  # whose report was shown
                show_error(err(), fatal)
            raise Exit(code=fatal.exit_code)
        incomplete = next((errors[name] for name in _PARTIAL if name in errors), None)
        if incomplete is not None and not isinstance(incomplete, NotConverged):
            show_error(err(), incomplete)
        self._collect("it has no result", incomplete)
        kept = self._write()
        lessons, damaged = self._noted()
        if not self._files.to_stdout:
            show_results(out(), self._run)
            for lesson in lessons:
                out().print(f"lesson {lesson.lesson}: {standing_text(lesson)}", highlight=False, soft_wrap=True)
            if self._run.exit_code and kept.is_file():
                err().print(f"All evidence, logs included: {kept}", highlight=False, soft_wrap=True)
        if damaged is not None:  # which is not the fault of the run
            show_error(err(), damaged)
        raise Exit(code=self._run.exit_code)

    def _noted(self) -> tuple[list[record.Standing], ClusterlabError | None]:
        """The lessons that the results are about; or why these could not be noted."""
        try:
            return record.note(self._pipeline.results), None
        except ClusterlabError as error:
            return [], error

    def _collect(self, missing: str, error: ClusterlabError | None) -> None:
        run, session = self._run, self._pipeline.session
        run.error = error
        run.failed_stage = self.stages.first_failed if error else ""
        found = list(self._pipeline.results)
        run.results = list(found)
        complete_results(session.lab, run.results, missing)
        run.stages = self.stages.seconds()
        run.notes = [note for report in self._pipeline.reports.values() for note in report.notes()]
        run.seconds = time.monotonic() - self._began
        if self.stages.succeeded("check"):
            run.chain = longest_chain(session.lab, session.hosts, found)

    def _write(self) -> Path:
        """Write all files.

        Returns the one that is kept in any case, where the lab has a state folder.
        """
        run, lab = self._run, self._pipeline.session.lab
        kept = LabState(run.lab).folder / "last-run.json"
        if kept.parent.is_dir():
            write_json(kept, run.document())
        self._files.write(run.document(), run, lambda: from_run(run, self.stages.noted, picture_of(lab)))
        return kept
