"""Answers of the engine's API, read strictly.

What does not have the documented type was not seen.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from .finding import NotSeen

_REQUIRED: Any = object()


class Document:
    """A JSON value from the API of a host's engine.

    `what` names it in messages, as "host1: /info".
    """

    def __init__(self, value: Any, host: str, what: str) -> None:
        self._value = value
        self._host = host
        self._what = what

    def at(self, *path: str) -> Document:
        """The value below; a missing key is null, as the API leaves out what is empty."""
        value = self._value
        for key in path:
            if value is None:
                break
            if not isinstance(value, dict):
                raise self._odd(".".join(path))
            value = value.get(key)
        return Document(value, self._host, f"{self._what} {'.'.join(path)}".strip())

    def text(self, *path: str, default: str = _REQUIRED) -> str:
        """A text; missing or null is `default`, and without one not seen."""
        found: str = self._typed(str, path, default)
        return found

    def number(self, *path: str, default: float = _REQUIRED) -> float:
        value = self.at(*path)._value
        if isinstance(value, bool) or not isinstance(value, int | float):
            if value is None and default is not _REQUIRED:
                return default
            raise self._odd(".".join(path))
        return value

    def flag(self, *path: str) -> bool:
        """A Boolean; missing is false, as the API leaves it out."""
        return bool(self._typed(bool, path, False))

    def items(self, *path: str) -> list[Document]:
        """A list; missing or null is empty."""
        found = self.at(*path)
        value = found._value
        if value is None:
            return []
        if not isinstance(value, list):
            raise self._odd(".".join(path))
        return [Document(one, self._host, found._what) for one in value]

    def mapping(self, *path: str) -> dict[str, Document]:
        """An object; missing or null is empty."""
        found = self.at(*path)
        value = found._value
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise self._odd(".".join(path))
        return {str(key): Document(one, self._host, found._what) for key, one in value.items()}

    def texts(self, *path: str) -> dict[str, str]:
        """An object with texts, such as labels and options."""
        return {key: one.text() for key, one in self.mapping(*path).items()}

    def words(self, *path: str) -> list[str]:
        """A list of texts."""
        return [one.text() for one in self.items(*path)]

    def time(self, *path: str) -> float:
        """Unix time of a timestamp, which engines write with nanoseconds and in their own zone (RFC 3339)."""
        try:
            return datetime.fromisoformat(self.text(*path)).timestamp()
        except ValueError:
            raise self._odd(".".join(path)) from None

    @property
    def missing(self) -> bool:
        return self._value is None

    def _typed(self, kind: type, path: tuple[str, ...], default: Any) -> Any:
        value = self.at(*path)._value
        if value is None and default is not _REQUIRED:
            return default
        if not isinstance(value, kind):
            raise self._odd(".".join(path))
        return value

    def _odd(self, path: str) -> NotSeen:
        return NotSeen(self._host, f"the engine's answer has an unexpected form: {self._what} {path}".rstrip())
