"""On a real terminal, moving lines are gone before a summary is printed."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys

_WORK = """
import time
from clusterlab.cli.verb import err, out
from clusterlab.reports.progress import progress_on
with progress_on(err()) as progress:
    with progress.task("host1", "starting docker"), progress.task("host2", "join swarm membership"):
        time.sleep(0.3)
    err().print("provision: 2 changed")
    with progress.task("host1", "checking"):
        time.sleep(0.2)
    out().print("1 of 1 statements pass")
out().print("the end")
"""
_PART = re.compile(r"\x1b\[\?25[lh]|\x1b\[(\d*)([A-Za-z])|([\r\n])|([^\x1b\r\n]+)")


def screen(written: str) -> list[str]:
    """What a terminal shows after all of it: cursor up, erase line, carriage return and new line are understood."""
    lines, row, column = [""], 0, 0
    for number, code, control, text in (found.groups() for found in _PART.finditer(written)):
        if code == "A":
            row = max(0, row - int(number or 1))
        elif code == "K":
            lines[row] = "" if number == "2" else lines[row][:column]
        elif control == "\r":
            column = 0
        elif control == "\n":
            row, column = row + 1, 0
            lines += [""] * (row + 1 - len(lines))
        elif text:
            lines[row] = lines[row][:column].ljust(column) + text + lines[row][column + len(text) :]
            column += len(text)
    return [line.rstrip() for line in lines]


def test_no_moving_line_stays_in_front_of_what_is_printed() -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "NO_COLOR": "1"}
    process = subprocess.Popen([sys.executable, "-c", _WORK], stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    written = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        written += part
    os.close(ours)
    assert process.wait(timeout=60) == 0
    shown = [re.sub(r"\d+\.\d s", "N s", line) for line in screen(written.decode()) if line]
    assert shown == [
        "✔ host2 join swarm membership N s",
        "✔ host1 starting docker N s",
        "provision: 2 changed",
        "✔ host1 checking N s",
        "1 of 1 statements pass",
        "the end",
    ], written
