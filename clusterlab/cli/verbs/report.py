from __future__ import annotations

import webbrowser

from clusterlab.cli.verb import INVENTORY, Call, err, out, verb
from clusterlab.cli.verbs.history import LAB
from clusterlab.pipeline.lock import Unlocked


@verb(
    Unlocked("reads only"),
    {
        "name": "the run: its name, its number, or last",
        "inventory": INVENTORY,
        "lab": LAB,
        "open": "open its page in a browser",
        "compare": "an earlier run, to show what changed since: --compare EARLIER LATER",
    },
)
def report(
    call: Call, name: str = "last", inventory: str = "", lab: str = "", open: bool = False, compare: str = ""
) -> None:
    """Show a nightly run that was kept, and where its page is."""
    from clusterlab.cli.session import lab_name
    from clusterlab.errors import ClusterlabError
    from clusterlab.nightly.compare import compare_runs
    from clusterlab.nightly.runs import Runs
    from clusterlab.reports.nightly import show_changes, show_nightly_run

    runs = Runs(lab_name(inventory, lab))
    run = runs.find(name)
    nightly_run = run.read()
    if compare:
        show_changes(out(), compare_runs(runs.find(compare).read(), nightly_run))
    else:
        show_nightly_run(out(), nightly_run)
    if not run.report.is_file():
        run.write(nightly_run)
    err().print(f"Report: {run.report}", highlight=False, soft_wrap=True)
    if open and not webbrowser.open(run.report.as_uri()):
        raise ClusterlabError("no browser was found", remedy=f"Open {run.report.as_uri()} in one.")
