"""The lines of a lesson as shell scripts: one for each host, or a section for each stay on a host."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Sequence
from itertools import groupby

from clusterlab.checks.manual.line import HERE, Line

from .lesson import Lesson

_HERE_TITLE = "here"
_BEGIN = "failed="
_END = '[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }'


def script(lesson: Lesson, hosts: Collection[str] = ()) -> str:
    """Every line with its proof; `hosts` are those whose lines are wanted, or none for all of them in their order.

    A section begins with #HOST. It ends with exit code 1, and says which statements do not hold, when one does not: it
    can be given to `sh`, and pasted into a shell, which it does not end.
    """
    titled = [(part.title, line) for part in lesson.parts for line in part.lines]
    looked_up = {line.sets for _, line in titled if line.sets}
    if hosts:
        stays = [(host, [one for one in titled if one[1].host == host]) for host in hosts]
    else:
        stays = [(host, list(stay)) for host, stay in groupby(titled, key=lambda one: one[1].host)]
    return "\n".join(_section(host, lines, looked_up) for host, lines in stays if lines)


def _section(host: str, lines: Sequence[tuple[str, Line]], looked_up: set[str]) -> str:
    parts = [f"#{_HERE_TITLE if host == HERE else host}", _BEGIN]
    known: set[str] = set()
    for title, group in groupby(lines, key=lambda one: one[0]):
        parts.append(f"\n# {title}")
        for _, line in group:
            needed = set(re.findall(r'"\$(\w+)"', line.script)) & looked_up - known
            parts += [f': "${{{name}:?is what another host printed}}"' for name in sorted(needed)]
            known |= needed | {line.sets}
            parts.append(_one(line, title))
    return "\n".join([*parts, "", _END, ""])


def _one(line: Line, title: str) -> str:
    if line.sets:
        return f'{line.script}; echo "{line.sets}=${line.sets}"'
    return f'{line.script} || failed="$failed; "{shlex.quote(title)}'
