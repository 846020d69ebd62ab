"""What a machine writes on its serial console, for people."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

from clusterlab.control_characters import plain
from clusterlab.progress import Task


def tail(file: Path, size: int = 3000) -> str:
    """The end of a log file, or nothing when there is none."""
    try:
        with file.open("rb") as stream:
            stream.seek(max(0, os.fstat(stream.fileno()).st_size - size))
            return stream.read().decode(errors="replace")
    except FileNotFoundError:
        return ""


def last_line(console: Path) -> str:
    """The last line that says something, in one line's length."""
    lines = [line.strip() for line in plain(tail(console)).splitlines() if line.strip()]
    return re.sub(r"^\[ *(?:OK|[\d.]+|\*+) *\] *", "", lines[-1])[:100] if lines else "nothing on its console yet"


def follower(console: Path, task: Task) -> Callable[[], None]:
    """A function that reports the console's last line to `task` when it changes."""
    said = ""

    def follow() -> None:
        nonlocal said
        line = last_line(console)
        if line != said:
            said = line
            task.update(line)

    return follow


def last_lines(console: Path, count: int = 15) -> str:
    """The console's end, to be shown with a failure."""
    return "\n".join(plain(tail(console)).splitlines()[-count:])
