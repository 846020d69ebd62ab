"""What a machine writes on its serial console, for people."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from clusterlab.progress import Task

from .start import tail

_ESCAPE = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|[()][A-Z0-9]|[=>78cDEHM])")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def plain(text: str) -> str:
    """Without what only terminals understand."""
    return _UNPRINTABLE.sub("", _ESCAPE.sub("", text))


def last_line(console: Path) -> str:
    """The last line that says something, in one line's length."""
    lines = [line.strip() for line in plain(tail(console)).splitlines() if line.strip()]
    return re.sub(r"^\[ *(?:OK|[\d.]+|\*+) *\] *", "", lines[-1])[:100] if lines else "nothing on its console yet"


def follower(console: Path, task: Task) -> Callable[[], None]:
    """A function that tells `task` the console's last line, when it is another than before."""
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
