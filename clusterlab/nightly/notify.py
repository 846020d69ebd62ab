"""Notification: a command of the user that receives the summary of a run.

On its standard input.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
from contextlib import suppress
from typing import Any

from clusterlab.errors import ClusterlabError, UsageError
from clusterlab.nightly.nightly_run import CheckId, NightlyRun

_TAIL = 2000  # characters of the command's output that are kept
_FIRST_LINE = 300


def parse_command(text: str) -> list[str]:
    """The words of a command, as a shell would split them.

    It is never given to a shell. Raises UsageError.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"the command {text!r} cannot be read: {error}", remedy="Close every quote.") from error
    if not words:
        raise UsageError("the --notify command is empty", remedy="Give a program and its arguments.")
    return words


def summary(run: NightlyRun, report: str) -> dict[str, Any]:
    """The run in short, as JSON-compatible data; `report` is the path of its page."""
    changes = run.changes
    since = {
        (trend.play, trend.check): trend.failing_since.isoformat(timespec="seconds")
        for trend in run.trends
        if trend.failing_since
    }
    return {
        "lab": run.lab,
        "run": run.run,
        "number": run.number,
        "outcome": run.outcome,
        "exit": run.exit_code,
        "started": run.started.isoformat(timespec="seconds"),
        "seconds": round(run.seconds, 1),
        "counts": run.counts(),
        "newly_failing": _named(changes.newly_failing if changes else []),
        "newly_passing": _named(changes.newly_passing if changes else []),
        "newly_flaky": _named(changes.newly_flaky if changes else []),
        "failing": [
            {
                "play": result.play,
                "check": result.check,
                "outcome": result.outcome.value,
                "found": next((item.found for item in result.evidence if not item.holds), "")[:_FIRST_LINE],
                "since": since.get((result.play, result.check), ""),
            }
            for result in run.results
            if result.outcome.value in ("fail", "error")
        ],
        "failed_stages": [{"stage": stage.name, "message": stage.message} for stage in run.failed_stages],
        "notes": run.notes,
        "report": report,
    }


def _named(checks: list[CheckId]) -> list[dict[str, str]]:
    return [{"play": check.play, "check": check.check} for check in checks]


def notify(command: list[str], document: dict[str, Any], seconds: float) -> None:
    """Run `command` with `document` on its standard input.

    Raises ClusterlabError unless it ends well in `seconds`.

    It runs in a session of its own, so that the deadline ends whatever it started too.
    """
    shown = shlex.join(command)
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
        )
    except OSError as error:
        raise ClusterlabError(
            f"the --notify command cannot be run: {shown}: {error.strerror}",
            remedy="Give the whole path of a program that may be executed.",
        ) from error
    with process:
        try:
            output, _ = process.communicate(json.dumps(document).encode(), timeout=seconds)
        except subprocess.TimeoutExpired as late:
            _kill_group(process)
            raise ClusterlabError(
                f"the --notify command did not end within {seconds:g} s, and was killed: {shown}",
                detail=_text(late.output or b""),
            ) from late
        except KeyboardInterrupt:
            _kill_group(process)
            raise
    if process.returncode:
        raise ClusterlabError(
            f"the --notify command ended with exit code {process.returncode}: {shown}", detail=_text(output)
        )


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """End the command and what it started; a group that is gone is what is wanted."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _text(output: bytes) -> str:
    return output.decode(errors="replace")[-_TAIL:].strip()
