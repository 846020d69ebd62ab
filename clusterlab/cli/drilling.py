"""Carrying drills out for the command line.

Progress, results in every form, and the exit code.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from invoke.exceptions import Exit
from rich.console import Console
from rich.text import Text

from clusterlab.cli.output_files import OutputFiles
from clusterlab.cli.verb import out
from clusterlab.drills.of_stack import LASTS, StackDrill, stack_drills
from clusterlab.drills.plan import DrillPlan, all_plans
from clusterlab.drills.run import Drilled
from clusterlab.drills.survival import sentences, with_data
from clusterlab.errors import UsageError
from clusterlab.faults.kind import shown
from clusterlab.model.faults import LONGEST
from clusterlab.nightly.nightly_run import from_run
from clusterlab.pipeline.session import Session
from clusterlab.pipeline.stages import Stage
from clusterlab.reports.picture import picture_of
from clusterlab.reports.summary import Run
from clusterlab.reports.terminal import show_results


@dataclass(frozen=True)
class Work:
    """The drills of a command, in their order.

    Those of stacks have more to them than their plan.
    """

    plans: Sequence[DrillPlan]
    of_stacks: Sequence[StackDrill] = ()

    def of_stack(self, plan: DrillPlan) -> StackDrill | None:
        """The drill of a stack that has this plan."""
        return next((one for one in self.of_stacks if one.plan is plan), None)


def planned(session: Session, words: Sequence[str], lasts: float | None = None) -> Work:
    """The drills of plays that words name.

    And those of every stack that has none of its own.

    Raises UsageError for a drill that does not exist.
    """
    lab = session.lab
    stacks = [name for name in lab.stacks if not lab.plays[name].drills]
    own = [word for word in words if word.partition(":")[0] not in stacks]
    without_words = not words and any(play.drills for play in lab.plays.values())
    plans = all_plans(lab, own) if own or without_words or not stacks else []
    drills = [drill for name in stacks for drill in stack_drills(lab, name, session.unsupported, lasts or LASTS)]
    chosen = {word.partition(":")[2] for word in words if word not in own} - {""}
    if unknown := chosen - {drill.plan.title for drill in drills}:
        known = "; ".join(drill.plan.title for drill in drills)
        raise UsageError(f"there is no drill '{sorted(unknown)[0]}'", remedy=f"The stack's drills: {known}.")
    drills = [drill for drill in drills if not chosen or drill.plan.title in chosen]
    return Work([*plans, *(drill.plan for drill in drills)], drills)


def parse_seed(text: str) -> int | None:
    """A seed of the command line. Raises UsageError when it is not a number."""
    if text and not text.isdecimal():
        raise UsageError(f"--seed must be a number, not {text!r}", remedy="For example --seed 7.")
    return int(text) if text else None


def parse_seconds(text: str) -> float | None:
    """A number of seconds of the command line.

    Raises UsageError when it is not one that faults may last.
    """
    if text and not (text.isdecimal() and 0 < int(text) <= LONGEST):
        raise UsageError(
            f"--lasts must be a number of seconds from 1 to {LONGEST:g}, not {text!r}", remedy="For example --lasts 60."
        )
    return float(text) if text else None


class DrillOutput:
    """What drills show and write, also when they are interrupted."""

    def __init__(self, session: Session, work: Work, files: OutputFiles) -> None:
        self._session = session
        self._work = work
        self._files = files
        self._began = time.monotonic()
        self._drilled: list[tuple[StackDrill, Drilled]] = []
        self.run = Run(session.lab.name, "drill", strict=session.machines.kind.foreign)

    def add(self, drilled: Drilled) -> None:
        """Take what became of a drill."""
        drill = self._work.of_stack(drilled.plan)
        if drill is not None:
            drilled = with_data(drill, drilled)
            self._drilled.append((drill, drilled))
        self.run.results.append(drilled.result)

    def write(self) -> None:
        """Write every file that was asked for."""
        run = self.run
        run.seconds = time.monotonic() - self._began
        run.notes = self._sentences()
        stage = Stage("drill", "done", run.seconds, f"{len(run.results)} drills")
        self._files.write(run.document(), run, lambda: from_run(run, [stage], picture_of(self._session.lab)))

    def finish(self) -> None:
        """Write and show the results, and end with the exit code that they mean."""
        self.write()
        if not self._files.to_stdout:
            show_results(out(), self.run)
            for note in self.run.notes:
                out().print(Text(note), soft_wrap=True)
        raise Exit(code=self.run.exit_code)

    def _sentences(self) -> list[str]:
        by_play = groupby(self._drilled, lambda one: one[0].plan.play)
        return [line for _, drills in by_play for line in sentences(self._session.lab, list(drills))]


def carry_out(session: Session, work: Work, seed: int | None, files: OutputFiles) -> DrillOutput:
    """Carry the drills out, one after the other.

    An interrupt is raised once all is healed and written.
    """
    from clusterlab.drills.stage import run_drills

    output = DrillOutput(session, work, files)
    try:
        run_drills(session, work.plans, seed, output.add)
    except KeyboardInterrupt:
        output.write()
        show_results(out(), output.run)
        raise
    return output


def show_plans(console: Console, plans: Sequence[DrillPlan]) -> None:
    """What each drill would do, where and for how long; asks no host."""
    for plan in plans:
        drill = plan.drill
        console.print(Text(f"{plan.play}: {plan.title}", "bold"), soft_wrap=True)
        if plan.lacks:
            console.print(Text(f"  unsupported: {plan.lacks}"), soft_wrap=True)
            continue
        lines = [
            f"{stream.source}: every {stream.loop.period:g} s: {' '.join(stream.loop.command)}"
            for stream in plan.streams
        ]
        lines.append(f"steady for {drill.steady:g} s, otherwise it does not start")
        for fault in plan.faults:
            lines.append(
                f"{fault.name} ({shown(fault.params)}); hosts heal themselves after {fault.params.lasts + 60:g} s"
            )
        for judged in plan.judged:
            one = judged.expectation
            labels = ", ".join(dict.fromkeys(stream.pool or stream.label for stream in judged.streams))
            lines.append(
                f"{one.subject} {one.expect}: {labels}{' (a client that tries all)' if judged.together else ''}"
            )
        lines.append(f"recovers within {drill.recovers:g} s; at most {plan.seconds:.0f} s in all")
        for line in lines:
            console.print(Text(f"  {line}"), soft_wrap=True)
