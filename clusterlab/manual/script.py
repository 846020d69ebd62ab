"""The lines of a lesson as shell scripts.

One for each host, or a section for each stay on a host.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Mapping, Sequence
from itertools import groupby

from clusterlab.checks.manual.line import HERE, Line, Variable

from .lesson import Lesson

_HERE_TITLE = "here"
_BEGIN = "failed="
_END = '[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }'


def script(lesson: Lesson, hosts: Collection[str] = ()) -> str:
    """Every line with its proof.

    `hosts` are those whose lines are wanted, or none for all of them in their order.

    A section begins with #HOST. It ends with exit code 1, and says which statements do not hold, when one does not: it
    can be given to `sh`, and pasted into a shell, which it does not end. Values of the play's environments are not in
    it: it takes them from the environment that it is given, and says which are missing.
    """
    titled = [(part.title, line) for part in lesson.parts for line in part.lines]
    looked_up = {line.sets for _, line in titled if line.sets}
    if hosts:
        stays = [(host, [one for one in titled if one[1].host == host]) for host in hosts]
    else:
        stays = [(host, list(stay)) for host, stay in groupby(titled, key=lambda one: one[1].host)]
    names = shell_names(lesson)
    return "\n".join(_section(host, lines, looked_up, names) for host, lines in stays if lines)


def shell_names(lesson: Lesson) -> dict[Variable, str]:
    """What each variable is called in a script.

    Its name, with a number when it has several values in the lesson.
    """
    values: dict[str, list[str]] = {}
    names: dict[Variable, str] = {}
    for variable in [one for part in lesson.parts for line in part.lines for one in line.environment]:
        known = values.setdefault(variable.name, [])
        if variable.value not in known:
            known.append(variable.value)
        number = known.index(variable.value)
        names[variable] = f"{variable.name}_{number + 1}" if number else variable.name
    return names


def _section(host: str, lines: Sequence[tuple[str, Line]], looked_up: set[str], names: Mapping[Variable, str]) -> str:
    parts = [f"#{_HERE_TITLE if host == HERE else host}", _BEGIN]
    taken = dict.fromkeys(variable for _, line in lines for variable in line.environment)
    parts += [f': "${{{names[one]}?is the value of {one.name} in {one.place}}}"' for one in taken]
    known: set[str] = set()
    for title, group in groupby(lines, key=lambda one: one[0]):
        parts.append(f"\n# {title}")
        for _, line in group:
            needed = set(re.findall(r'"\$(\w+)"', line.script)) & looked_up - known
            parts += [f': "${{{name}:?is what another host printed}}"' for name in sorted(needed)]
            known |= needed | {line.sets}
            parts.append(_one(line, title, names))
    return "\n".join([*parts, "", _END, ""])


def _one(line: Line, title: str, names: Mapping[Variable, str]) -> str:
    if line.sets:
        return f'{line.script}; echo "{line.sets}=${line.sets}"'
    exports = "".join(f'export {one.name}="${names[one]}"; ' for one in line.environment)
    script = f"({exports}{line.script})" if exports else line.script
    return f'{script} || failed="$failed; "{shlex.quote(title)}'
