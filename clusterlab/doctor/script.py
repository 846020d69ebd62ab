"""The fact script: one command per host that prints all sections.

It starts and changes nothing. A second one, of other sections, sends probes to the other nodes where that is allowed.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from .answers import Part
from .sections.section import Section

_HEAD = r"""
mark=$1
export LC_ALL=C LANG=C LANGUAGE=C PATH="$PATH:/usr/sbin:/sbin"
limit() { timeout -s KILL 2 "$@"; }
exec 3>&1
section() {
  printf '\n%s begin %s\n' "$mark" "$1"
  why=$("section_$2" 2>&1 >&3 3>&-); code=$?
  printf '\n%s end %s %s %s\n' "$mark" "$1" "$code" "$(printf '%s\n' "$why" | tail -n 1)"
}
"""
SECONDS = 30.0
"""For the whole script; each of its commands has 2 s."""


def command(sections: Sequence[Section[Any]], **given: str) -> tuple[str, list[str]]:
    """The mark that begins the script's own lines, and the command's words.

    Nothing on the host can know the mark. `given` are variables of the sections' scripts.
    """
    mark = f"=={secrets.token_hex(8)}"
    variables = "".join(f"{name}=${{{at}}}\n" for at, name in enumerate(given, 2))
    functions = [f"section_{at}() (\n{one.script.strip()}\n)\n" for at, one in enumerate(sections)]
    calls = [f"section {one.name} {at}\n" for at, one in enumerate(sections)]
    return mark, ["sh", "-c", "".join([_HEAD, variables, *functions, *calls]), "sh", mark, *given.values()]


def split(text: str, mark: str) -> dict[str, Part]:
    """The sections that were printed to their ends, by name.

    What was cut off is absent.
    """
    found: dict[str, Part] = {}
    name, lines = "", list[str]()
    for line in text.split("\n"):
        words = line.split(" ", 4)
        match words:
            case [first, "begin", started] if first == mark:
                name, lines = started, []
            case [first, "end", ended, code, *why] if first == mark and ended == name:
                found[name] = Part(_without_last(lines), _code(code), " ".join(why).strip())
                name = ""
            case _:
                lines.append(line)
    return found


def _without_last(lines: Sequence[str]) -> str:
    """The lines without the empty one that separates them from the mark."""
    return "\n".join(lines[:-1] if lines and not lines[-1] else lines)


def _code(text: str) -> int:
    return int(text) if text.isdecimal() else 1
