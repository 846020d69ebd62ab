"""Values with the place they were written at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from clusterlab.model.problems import Problem

T_co = TypeVar("T_co", covariant=True)


class Place(NamedTuple):
    """A position in a file.

    Lines and columns count from 1, line 0 means the file as a whole.
    """

    file: str
    line: int
    column: int

    def problem(self, message: str, remedy: str = "") -> Problem:
        """A problem at this position."""
        return Problem(self.file, self.line, self.column, message, remedy)


@dataclass(frozen=True)
class Given(Generic[T_co]):
    """A value that a file gives, and where.

    Its repr has the place alone: values of environment variables, secrets and configs are among them.
    """

    value: T_co
    place: Place
    written: str = ""  # the value as it stands in the file, its variables not replaced

    def __repr__(self) -> str:
        return f"Given({self.place.file}:{self.place.line}:{self.place.column})"


class Content:
    """The bytes of a secret or config.

    No repr, message or comparison by repr shows them.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data

    @property
    def data(self) -> bytes:
        return self._data

    def __len__(self) -> int:
        return len(self._data)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Content) and self._data == other._data

    def __hash__(self) -> int:
        return hash(self._data)

    def __repr__(self) -> str:
        return f"Content({len(self._data)} bytes)"
