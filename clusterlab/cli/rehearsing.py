"""Carrying a rehearsal out for the command line.

Results in every form, sentences, and the exit code.
"""

from __future__ import annotations

import time

from invoke.exceptions import Exit
from rich.text import Text

from clusterlab.cli.output_files import OutputFiles
from clusterlab.cli.verb import out
from clusterlab.model import Lab
from clusterlab.pipeline.session import Session
from clusterlab.rehearsal.order import require_rehearsable
from clusterlab.rehearsal.rehearse import Rehearsal, rehearse, scene_of
from clusterlab.rehearsal.steps import steps
from clusterlab.reports.summary import Run
from clusterlab.reports.terminal import show_results


def carry_out(session: Session, after: Lab, *, back: bool, files: OutputFiles) -> None:
    """Rehearse, show and write what was seen.

    And end with the exit code that it means; also when interrupted.
    """
    began = time.monotonic()
    found = Rehearsal()
    try:
        rehearse(session, after, found, back=back)
    finally:
        run = Run(session.lab.name, "rehearse", seconds=time.monotonic() - began)
        run.results, run.notes = found.results, found.notes
        if found.results:
            files.write(run.document(), run)
        if found.results and not files.to_stdout:
            show_results(out(), run)
            for note in run.notes:
                out().print(Text(note), soft_wrap=True)
    raise Exit(code=run.exit_code)


def show_steps(session: Session, after: Lab) -> None:
    """What would be changed on each host.

    As far as it can be told before anything is; reads hosts, changes nothing.
    """
    require_rehearsable(session.lab.inventory, after.inventory)
    shown = False
    for step in steps(after, scene_of(session, after), session.unsupported):
        shown = True
        out().print(Text(f"{'drain, then ' if step.drains else ''}{step.title}"), soft_wrap=True)
    if not shown:
        out().print("nothing would be changed")
