"""Carrying drills out for the command line.

Progress, results in every form, and the exit code.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from invoke.exceptions import Exit
from rich.console import Console
from rich.text import Text

from clusterlab.cli.output_files import OutputFiles
from clusterlab.cli.verb import out
from clusterlab.drills.plan import DrillPlan
from clusterlab.faults.kind import shown
from clusterlab.nightly.nightly_run import from_run
from clusterlab.pipeline.session import Session
from clusterlab.pipeline.stages import Stage
from clusterlab.reports.picture import picture_of
from clusterlab.reports.summary import Run
from clusterlab.reports.terminal import show_results


class DrillOutput:
    """What drills show and write, also when they are interrupted."""

    def __init__(self, session: Session, json: str, junit: str, html: str) -> None:
        self._session = session
        self._files = OutputFiles(json, junit, html)
        self._began = time.monotonic()
        self.run = Run(session.lab.name, "drill", strict=session.machines.kind.foreign)

    def write(self) -> None:
        """Write every file that was asked for."""
        run = self.run
        run.seconds = time.monotonic() - self._began
        stage = Stage("drill", "done", run.seconds, f"{len(run.results)} drills")
        self._files.write(run.document(), run, lambda: from_run(run, [stage], picture_of(self._session.lab)))

    def finish(self) -> None:
        """Write and show the results, and end with the exit code that they mean."""
        self.write()
        if not self._files.to_stdout:
            show_results(out(), self.run)
        raise Exit(code=self.run.exit_code)


def carry_out(
    session: Session, plans: Sequence[DrillPlan], seed: int | None, *, json: str, junit: str, html: str
) -> DrillOutput:
    """Carry the drills out, one after the other.

    An interrupt is raised once all is healed and written.
    """
    from clusterlab.drills.stage import run_drills

    output = DrillOutput(session, json, junit, html)
    try:
        run_drills(session, plans, seed, output.run.results.append)
    except KeyboardInterrupt:
        output.write()
        raise
    return output


def show_plans(console: Console, plans: Sequence[DrillPlan]) -> None:
    """What each drill would do, where and for how long; asks no host."""
    for plan in plans:
        drill = plan.drill
        console.print(Text(f"{plan.play}: {plan.title}", "bold"), soft_wrap=True)
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
            labels = ", ".join(stream.label for stream in judged.streams)
            lines.append(
                f"{one.subject} {one.expect}: {labels}{' (a client that tries all)' if judged.together else ''}"
            )
        lines.append(f"recovers within {drill.recovers:g} s; at most {plan.seconds:.0f} s in all")
        for line in lines:
            console.print(Text(f"  {line}"), soft_wrap=True)
