"""What to say of a value of the wrong type: what it is, and how to write it."""

from __future__ import annotations

from collections.abc import Iterable

from clusterlab.model.problems import suggest
from clusterlab.model.source import KeyPath

from .scalars import Timestamp


def named(value: object, written: str, path: KeyPath) -> str:
    """What the value is, in a sentence; text that may be secret is not shown."""
    match value:
        case bool():
            return written or "a boolean"
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case Timestamp():
            return f"the date {written}"
        case str():
            return "text" if "environment" in path else f"'{written}'"
        case _:
            return f"the number {written}"


def how_to_write(what: str, value: object, written: str, *, varies: bool) -> str:
    """The remedy for a value that must be `what`, or nothing.

    `varies`: it comes from a variable.
    """
    if "text" in what and isinstance(value, bool | int | float | Timestamp):
        return f'Put it in quotes: "{written}".'
    if what == "a whole number" and isinstance(value, str) and written.isdecimal():
        return f"Leave the quotes out: {written}."
    if what == "true or false" and isinstance(value, str) and written.lower() in ("yes", "on", "no", "off"):
        return f"Write {'true' if written.lower() in ('yes', 'on') else 'false'}."
    if varies and what in ("a whole number", "true or false"):
        return "A variable stays text at this key: write the value itself."
    return ""


def unknown_key(key: str, known: Iterable[str]) -> tuple[str, str]:
    """Message and remedy for a key that is not known here."""
    if key.startswith("x-"):
        return "extensions (x-) are not allowed here", "Move it to the service, or to the top of the file."
    return f"unknown key '{key}'", suggest(key, known, "Keys here")
