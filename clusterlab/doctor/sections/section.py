"""A section of the fact script.

The shell that prints it, and the reader that makes facts of what was printed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from clusterlab.doctor.answers import Answers
from clusterlab.doctor.finding import NotSeen

T = TypeVar("T")

MALFORMED = (ValueError, LookupError, TypeError, AttributeError)
"""What a reader raises for text that does not have the form that it knows."""
_MISSING = 127
_KILLED = 137


@dataclass(frozen=True)
class Section(Generic[T]):
    """One section.

    `script` runs in a shell of its own with `$root` (the engine's folder) and `limit`, which ends a command after 2 s.
    `read` raises one of MALFORMED for text that it does not know: then nothing follows from the section.
    """

    name: str
    script: str
    read: Callable[[str], T]

    def of(self, answers: Answers) -> T:
        """The facts of this section; raises NotSeen with the reason when there are none."""
        part = answers.parts.get(self.name)
        if part is None:
            why = answers.unreachable or answers.no_script or f"its output ended before the section {self.name!r}"
            raise NotSeen(answers.host, why)
        if part.exit == _KILLED:
            raise NotSeen(answers.host, f"the section {self.name!r} did not end in time")
        if part.exit == _MISSING:
            raise NotSeen(answers.host, f"a program is missing: {part.error or self.name}", "Install it there.")
        if part.exit:
            raise NotSeen(answers.host, f"the section {self.name!r} failed: {part.error or f'exit code {part.exit}'}")
        try:
            return self.read(part.text)
        except MALFORMED as error:
            reason = f"the section {self.name!r} has an unexpected form ({type(error).__name__})"
            raise NotSeen(answers.host, reason) from error


def pairs(text: str) -> dict[str, str]:
    """Lines of a name, a space and a value.

    Raises ValueError for a line without a value.
    """
    found = {}
    for line in text.splitlines():
        if line.strip():
            name, space, value = line.partition(" ")
            if not space:
                raise ValueError(line)
            found[name] = value
    return found
