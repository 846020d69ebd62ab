"""How the verb test-cluster is carried out, and what it shows."""

from __future__ import annotations

from pathlib import Path

from rich.table import Table

from clusterlab.cli.output import RunOutput, show_stage
from clusterlab.cli.output_files import OutputFiles
from clusterlab.cli.verb import Call, out
from clusterlab.connectivity import connectivity
from clusterlab.connectivity.play import Options, with_test
from clusterlab.connectivity.properties import PROPERTIES
from clusterlab.model import load_inventory
from clusterlab.pipeline.pipeline import Pipeline
from clusterlab.pipeline.session import open_session
from clusterlab.progress import Progress
from clusterlab.reports.summary import Run


def show_properties() -> None:
    """What can be named with --only."""
    rows = Table.grid(padding=(0, 2))
    for one in PROPERTIES.values():
        rows.add_row(one.name, one.summary if one.quick else f"{one.summary} (not with --quick)")
    out().print(rows)


def carry_out(
    call: Call,
    inventory: Path,
    options: Options,
    progress: Progress,
    *,
    json: str,
    junit: str,
    html: str,
    strict: bool,
) -> RunOutput:
    """Test a cluster.

    The files are written also when it is interrupted, which is raised then.
    """
    lab = with_test(load_inventory(inventory), options)
    with open_session(lab, progress, call.lock) as session:
        pipeline = Pipeline(session, on_report=show_stage)
        run = Run(lab.name, call.name, strict=strict)
        output = RunOutput(pipeline, run, OutputFiles(json, junit, html))
        try:
            connectivity.carry_out(pipeline, output.stages, options)
        except KeyboardInterrupt:
            output.interrupted("clusterlab test-cluster")
            raise
    return output
