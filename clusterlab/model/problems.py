"""What is wrong in a file: where, what, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from clusterlab.errors import UsageError

_FEW = 16  # this many names are still worth listing


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong in one file. Lines and columns count from 1.

    Line 0 means the file as a whole.
    """

    file: str
    line: int
    column: int
    message: str
    remedy: str = ""

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file

    def __str__(self) -> str:
        remedy = "".join(f"\n    {line}" for line in self.remedy.splitlines())
        return f"{self.place}: {self.message}{remedy}"


class InvalidFiles(UsageError):
    """Everything that is wrong in the files that were read.

    In the order of the files and their lines.
    """

    def __init__(self, problems: Iterable[Problem], files: Sequence[str] = ()) -> None:
        self.problems = in_order(problems, files)
        super().__init__("\n".join(map(str, self.problems)))


def in_order(problems: Iterable[Problem], files: Sequence[str] = ()) -> list[Problem]:
    """Problems by file and line, each once.

    Those of `files` first, in their order, then others by name.
    """
    places = {file: index for index, file in enumerate(files)}
    return sorted(set(problems), key=lambda problem: (places.get(problem.file, len(places)), problem))


def listed(names: Iterable[object]) -> str:
    """Names for a sentence: "a, b and c"."""
    *most, last = [str(name) for name in names] or ["none"]
    return f"{', '.join(most)} and {last}" if most else last


def either(names: Iterable[str]) -> str:
    """Names for a sentence: "a, b or c"."""
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last


def near_misses(name: str, known: Iterable[str]) -> list[str]:
    """The names of `known` that are like `name`, best first, at most three.

    For somebody who mistyped one of them.
    """
    by_folded = {other.lower(): other for other in known}
    return [by_folded[folded] for folded in get_close_matches(name.lower(), by_folded, n=3, cutoff=0.6)]


def suggest(name: str, known: Iterable[str], title: str) -> str:
    """A remedy for an unknown name.

    The near misses, and all that is known when that is little.

    `title` says what the known names are: "Hosts".
    """
    names = list(known)
    near = near_misses(name, names)
    parts = [f"Did you mean {either([repr(other) for other in near])}?"] if near else []
    if (names and not near) or 1 < len(names) <= _FEW:
        parts.append(f"{title}: {', '.join(names)}.")
    return " ".join(parts)
