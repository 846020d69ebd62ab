"""Hostile text on every way to a terminal: clipboard, title, cursor, hyperlink, direction."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from rich.text import Text

from clusterlab.errors import ClusterlabError, HostError, Several
from clusterlab.machines.base import MachineStatus
from clusterlab.nightly.nightly_run import NightlyRun
from clusterlab.pipeline.stages import Stage
from clusterlab.plan.report import Failed, Report
from clusterlab.reports.console import PlainConsole
from clusterlab.reports.nightly import show_nightly_run
from clusterlab.reports.plan import show_plan, show_report
from clusterlab.reports.progress import progress_on
from clusterlab.reports.summary import Run
from clusterlab.reports.tables import show_rows
from clusterlab.reports.terminal import show_error, show_results, show_status
from clusterlab.resources.base import Change, Difference, Key
from clusterlab.results import Evidence, Outcome, Result

HOSTILE = (
    "\x1b]52;c;aGFja2Vk\x07\x9d52;c;aGFja2Vk\x9c\x1b]0;owned\x07\x1b[2J\x1b[1;1H\x9b1;1H"
    "\x1b]8;;http://evil/\x1b\\link\x1b]8;;\x1b\\\x1bc\u202etxet\u2066\x07\x08\r\x00text"
)
OWN = re.compile(r"\x1b\[[0-9;?]*[mKAlhJ]")  # colours, and the moving lines of progress


def run() -> Run:
    evidence = Evidence(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, holds=False, logs={"log of web": HOSTILE})
    return Run(
        "demo", "check", results=[Result("play", "title", "run", Outcome.FAIL, evidence=(evidence,), hint=HOSTILE)]
    )


def change() -> Change:
    differences = (Difference("labels.a", HOSTILE, [HOSTILE]),)
    return Change(Key("host1", "container", "web"), "update", HOSTILE, HOSTILE, lambda: None, differences)


def failed() -> Report:
    return Report(failed=[Failed(change(), ClusterlabError(HOSTILE))])


def nightly_run() -> NightlyRun:
    stage = Stage("apply", "failed", 1.0, HOSTILE, HOSTILE, HOSTILE)
    return NightlyRun(
        "demo", "run", 1, started=datetime.now(UTC), stages=[stage], results=run().results, notes=[HOSTILE]
    )


def show_progress(console: PlainConsole) -> None:
    with progress_on(console) as progress, progress.task(HOSTILE, HOSTILE) as task:
        task.update(HOSTILE)
        progress.say(HOSTILE, HOSTILE)
        task.bad(HOSTILE)


SHOWN: dict[str, Callable[[PlainConsole], None]] = {
    "results": lambda console: show_results(console, run()),
    "error": lambda console: show_error(console, HostError("host1", HOSTILE, remedy=HOSTILE, detail=HOSTILE)),
    "errors": lambda console: show_error(console, Several([ClusterlabError(HOSTILE)], remedy=HOSTILE)),
    "plan": lambda console: show_plan(console, [change()]),
    "report": lambda console: show_report(
        console, "apply", Report(failed=[Failed(change(), ClusterlabError(HOSTILE))])
    ),
    "status": lambda console: show_status(console, [MachineStatus("host1", "running", HOSTILE)]),
    "rows": lambda console: show_rows(console, ["name"], [{"name": HOSTILE}]),
    "nightly_run": lambda console: show_nightly_run(console, nightly_run()),
    "progress": show_progress,
    "anything": lambda console: console.print(Text(HOSTILE), HOSTILE),
}


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "file"])
@pytest.mark.parametrize("name", SHOWN)
def test_no_control_sequence_reaches_a_terminal(name: str, terminal: bool) -> None:
    written = io.StringIO()
    SHOWN[name](PlainConsole(file=written, force_terminal=terminal, width=400))
    left = OWN.sub("", written.getvalue()) if terminal else written.getvalue()
    assert "text" in left
    assert re.findall("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", left.replace("\r", "")) == []
    assert "aGFja2Vk\x07" not in written.getvalue()
