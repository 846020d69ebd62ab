"""Paths in what engines report: keys joined by dots, `*` for every item.

And the same as templates of the CLI.
"""

from __future__ import annotations

import json
import re

from .matcher import show

_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")


class NoSuchPath(Exception):
    """The report has nothing there.

    The message says how far the path leads and what is there.
    """


def steps(path: str | list[str | int]) -> list[str]:
    """The keys of a path: joined by dots, or a list."""
    return path.split(".") if isinstance(path, str) else [str(key) for key in path]


def at(value: object, path: list[str]) -> object:
    """What lies at `path`; `*` takes every item and gives a list. Raises NoSuchPath."""
    for index, key in enumerate(path):
        if key == "*":
            if not isinstance(value, list | dict):
                raise NoSuchPath(f"{_joined(path[:index])} is {show(value)}: it has no items")
            items = value.values() if isinstance(value, dict) else value
            return [at(item, path[index + 1 :]) for item in items]
        value = _step(value, key, path[:index])
    return value


def _step(value: object, key: str, before: list[str]) -> object:
    if isinstance(value, dict):
        if key not in value:
            raise NoSuchPath(f"{_joined(before)} has no {key}: it has {', '.join(sorted(value)) or 'nothing'}")
        found: object = value[key]
        return found
    if isinstance(value, list) and key.isdigit():
        if int(key) >= len(value):
            raise NoSuchPath(f"{_joined(before)} has no item {key}: it has {len(value)}")
        item: object = value[int(key)]
        return item
    raise NoSuchPath(f"{_joined(before)} is {show(value)}: it has no {key}")


def _joined(path: list[str]) -> str:
    return ".".join(path) or "the report"


def template(path: list[str], *, as_json: bool) -> str:
    """A template that shows what lies at `path`; `*` shows each item on a line.

    Source: https://docs.docker.com/engine/cli/formatting/
    """
    if "*" not in path:
        return f"{{{{json {_expression(path)}}}}}" if as_json else f"{{{{{_expression(path)}}}}}"
    at = path.index("*")
    rest = path[at + 1 :]
    item = template(rest, as_json=as_json) if "*" in rest else f"{{{{println {_expression(rest)}}}}}"
    return f"{{{{range {_expression(path[:at])}}}}}{item}{{{{end}}}}"


def _expression(path: list[str]) -> str:
    found = ""
    for key in path:
        if _IDENTIFIER.fullmatch(key):
            found += f".{key}"
        else:
            found = f"(index {found or '.'} {key if key.isdigit() else json.dumps(key)})"
    return found or "."


def length_template(path: list[str]) -> str:
    """A template that shows how long what lies at `path` is."""
    return "{{len " + _expression(path) + "}}"
