"""The versions 3.0 to 3.13 of the file format.

Which one a file has, and what it knows.

Source: schema.go of docker/cli. Without `version`, and with "" or "3", it is 3.13.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from clusterlab.model.problems import Problem
from clusterlab.model.source import Document

_LATEST = 13


@dataclass(frozen=True, order=True)
class Version:
    """Version 3.`minor` of the file format."""

    minor: int = _LATEST

    def has(self, since: str) -> bool:
        """Whether something is known that came with version `since`, "" being the first."""
        return not since or self.minor >= int(since.removeprefix("3."))

    def __str__(self) -> str:
        return f"3.{self.minor}"


def version_of(document: Document) -> tuple[Version, Problem | None]:
    """The version of a file's format, and what is wrong with it."""
    given: Any = document.value.get("version", "")
    if "version" in document.value and not isinstance(given, str):
        text = document.texts.get(("version",), "")
        remedy = f'Leave it out, or put it in quotes: "{text}".' if text else "Leave it out."
        return Version(), document.problem(("version",), "version: must be text in quotes", remedy, key=True)
    if given in ("", "3"):
        return Version(), None
    known = {str(Version(minor)): Version(minor) for minor in range(_LATEST + 1)}
    if given in known:
        return known[given], None
    message = f"version: the file format '{given}' is not one that docker stack deploy reads"
    return Version(), document.problem(("version",), message, "Leave it out: the latest, 3.13, is then used.", key=True)
