"""`${a.b.c}` in strings: read from the inventory and nothing else.

No expressions, no defaults, no environment. A string that is one reference takes the value as it is, a number staying
a number; within a longer string the value's text is put in as it was written. `$${` is a literal `${`. The inventory
may refer to itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .problems import Problem, suggest
from .source import Document, KeyPath

_TOKEN = re.compile(r"\$\$\{|\$\{(?P<name>[^{}]*)\}|\$\{")
_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")


class _Unresolved(Exception):
    """A reference that has no value; without a message when the reason is told elsewhere."""

    def __init__(self, message: str = "", remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class _Circle(_Unresolved):
    """A reference that leads back to itself."""


class Names:
    """What `${...}` can read: an inventory, and the defaults of what it leaves out."""

    def __init__(self, inventory: Document, defaults: Mapping[str, Any]) -> None:
        self._inventory = inventory
        self._defaults = defaults

    def owns(self, document: Document) -> bool:
        """Whether `document` is the inventory itself."""
        return document is self._inventory

    def expand(self, text: str, trail: tuple[str, ...] = ()) -> Any:
        """`text` with its references replaced; `trail` are the names being looked up, to find circles."""
        whole = _TOKEN.fullmatch(text)
        if whole and whole["name"] is not None:
            return self._look_up(whole["name"], trail)[0]
        return _TOKEN.sub(lambda match: self._text(match, trail), text)

    def _text(self, match: re.Match[str], trail: tuple[str, ...]) -> str:
        if match[0] == "$${":
            return "${"
        if match["name"] is None:
            raise _Unresolved("'${' is not closed by '}'", "Write $${ for a literal ${.")
        return self._look_up(match["name"], trail)[1]

    def _look_up(self, name: str, trail: tuple[str, ...]) -> tuple[Any, str]:
        """The value of a name, and its text."""
        if not _NAME.fullmatch(name):
            raise _Unresolved(
                f"'${{{name}}}' is not the name of a value of the inventory",
                "Only names such as ${hosts.gw.address} are possible, no expressions and no environment variables.\n"
                "Write $${ for a literal ${.",
            )
        if name in trail:
            raise _Circle(f"circular reference: {' -> '.join((*trail, name))}")
        path, found = self._find(name)
        if isinstance(found, str):
            value = self._nested(found, (*trail, name))
            return value, _as_text(value)
        return found, self._inventory.texts.get(path, _as_text(found))

    def _nested(self, text: str, trail: tuple[str, ...]) -> Any:
        try:
            return self.expand(text, trail)
        except _Circle:
            raise
        except _Unresolved:
            raise _Unresolved from None  # told where it stands in the inventory

    def _find(self, name: str) -> tuple[KeyPath, Any]:
        path, found = _walk(self._inventory.value, name)
        if found is None:
            path, found = _walk(self._defaults, name)
        if found is None:
            raise _Unresolved(
                f"'${{{name}}}': the inventory has no value of this name",
                suggest(name, self._known(), "Its values"),
            )
        if isinstance(found, dict | list):
            what = "a mapping" if isinstance(found, dict) else "a list"
            inside = [other for other in self._known() if other.startswith(f"{name}.")]
            raise _Unresolved(
                f"'${{{name}}}' is {what}, which cannot be put in a string",
                f"Name one of its values, for example ${{{inside[0]}}}." if inside else "",
            )
        return path, found

    def _known(self) -> list[str]:
        return list(dict.fromkeys([*_scalars(self._inventory.value), *_scalars(self._defaults)]))


def _as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _walk(value: Any, name: str) -> tuple[KeyPath, Any]:
    """Where a dotted name leads to, and what is there: None when there is nothing."""
    path: KeyPath = ()
    for part in name.split("."):
        key: Any = int(part) if isinstance(value, list) and part.isdecimal() else part
        try:
            value = value[key] if isinstance(value, dict | list) else None
        except (KeyError, IndexError, TypeError):
            return path, None
        path = (*path, key)
    return path, value


def _scalars(value: object, prefix: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _scalars(inner, f"{prefix}{key}.")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _scalars(inner, f"{prefix}{index}.")
    elif value is not None:
        yield prefix[:-1]


def interpolate(document: Document, names: Names) -> tuple[Document, list[Problem], set[KeyPath]]:
    """`document` with all its references replaced, what is wrong with them, and which values have none."""
    problems: list[Problem] = []
    unresolved: set[KeyPath] = set()

    def replaced(value: Any, path: KeyPath) -> Any:
        if isinstance(value, dict):
            return {key: replaced(inner, (*path, key)) for key, inner in value.items()}
        if isinstance(value, list):
            return [replaced(inner, (*path, index)) for index, inner in enumerate(value)]
        if not isinstance(value, str) or "${" not in value:
            return value
        try:
            return names.expand(value, trail=(".".join(map(str, path)),) if names.owns(document) else ())
        except _Unresolved as error:
            unresolved.add(path)
            if error.message:
                problems.append(document.problem(path, error.message, error.remedy))
            return value

    return document.with_value(replaced(document.value, ())), problems, unresolved
