"""Advice on the text of the files: variables, keys, values without quotes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from clusterlab.model.error_text import dotted
from clusterlab.model.source import Document, KeyPath
from clusterlab.stacks.given import Place
from clusterlab.stacks.scalars import Timestamp, as_text
from clusterlab.stacks.templates import PLACEHOLDER
from clusterlab.stacks.variables import keys_with_variables

from .kind import AdviceKind, Hit, Subject

_LABELLED = ("networks", "volumes", "configs", "secrets")
_EXPANDED = (
    ("services", "*", "hostname"),
    ("services", "*", "environment"),
    ("services", "*", "volumes"),
    ("volumes", "*", "name"),
    ("volumes", "*", "labels"),
    ("volumes", "*", "driver_opts"),
)


def _unset(subject: Subject) -> Iterator[Hit]:
    for source in subject.loaded.sources:
        for use in source.uses:
            if not use.set and not use.default:
                yield Hit(use.place, f"${use.name}", use.name)


def _dotenv(subject: Subject) -> Iterator[Hit]:
    path = subject.loaded.folder / ".env"
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    wanted = {use.name for source in subject.loaded.sources for use in source.uses if not use.set}
    wanted |= {name for source in subject.loaded.sources for name in _bare(source.document.value)}
    for number, line in enumerate(lines, start=1):
        name = re.match(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*=", line)
        if name and name[1] in wanted and name[1] not in subject.loaded.environment:
            yield Hit(Place(str(path), number, 1), f"${name[1]}")


def _bare(value: Any) -> Iterator[str]:
    """The variables that `environment` names without a value."""
    services = value.get("services")
    for service in services.values() if isinstance(services, dict) else ():
        environment = service.get("environment") if isinstance(service, dict) else None
        if isinstance(environment, dict):
            yield from (key for key, given in environment.items() if given is None)
        elif isinstance(environment, list):
            yield from (item for item in environment if isinstance(item, str) and "=" not in item)


def _odd(subject: Subject) -> Iterator[Hit]:
    for source in subject.loaded.sources:
        for use in source.uses:
            if use.odd:
                yield Hit(use.place, f"${use.name}", more=use.odd)


def _keys(subject: Subject) -> Iterator[Hit]:
    for source in subject.loaded.sources:
        for place in keys_with_variables(source.document):
            yield Hit(place, "the key")


def _unquoted(subject: Subject) -> Iterator[Hit]:
    for source in subject.loaded.sources:
        document = source.document
        for path, value in _scalars(document.value, ()):
            if not _is_text_elsewhere(path) or (isinstance(value, str) and not isinstance(value, Timestamp)):
                continue
            written, sent = document.texts.get(path, ""), as_text(value)
            if written != sent and not isinstance(value, bool):
                shown = "" if path[2] == "environment" else f"{written} becomes {sent or 'empty'}"
                yield Hit(_place(document, path), dotted(path), more=shown)


def _is_text_elsewhere(path: KeyPath) -> bool:
    """Whether a path is that of a value of environment or labels.

    In the form of a mapping.
    """
    match path:
        case ("services", _, "environment" | "labels", str()) | ("services", _, "deploy", "labels", str()):
            return True
        case (section, _, "labels", str()):
            return section in _LABELLED
        case _:
            return False


def _templates(subject: Subject) -> Iterator[Hit]:
    for source in subject.loaded.sources:
        for path, value in _scalars(source.document.value, ()):
            if isinstance(value, str) and PLACEHOLDER.search(value) and not _is_expanded(path):
                yield Hit(_place(source.document, path), dotted(path))


def _is_expanded(path: KeyPath) -> bool:
    if str(path[0]).startswith("x-") or any(str(part).startswith("x-") for part in path[2:3]):
        return True
    return any(
        len(path) >= len(pattern) and all(wanted in ("*", part) for wanted, part in zip(pattern, path, strict=False))
        for pattern in _EXPANDED
    )


def _scalars(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _scalars(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _scalars(inner, (*path, index))
    else:
        yield path, value


def _place(document: Document, path: KeyPath) -> Place:
    return Place(document.file, *document.at(path))


KINDS = [
    AdviceKind(
        "unset-variable",
        "a variable without a value in the environment and without a default",
        "the variable is not set, and silently becomes empty text",
        "Set it, or write ${NAME:-default}, or ${NAME:?message} for an error.",
        _unset,
        from_text=True,
    ),
    AdviceKind(
        "dotenv-not-read",
        "`.env` beside the first file has a variable that is used and not set",
        "docker stack deploy does not read .env, and the variable is not set",
        "Export it first: set -a; . ./.env; set +a",
        _dotenv,
        from_text=True,
    ),
    AdviceKind(
        "odd-variable",
        "`$NAME-text` and `$NAME?text` without braces, or `${...}` within a default",
        "the variable does something else than it seems to",
        "Write ${NAME} with braces; set nested defaults in the environment.",
        _odd,
        from_text=True,
    ),
    AdviceKind(
        "variable-in-key",
        "`${...}` in a key",
        "variables are replaced in values, not in keys: it is left as it is",
        "Write a list of KEY=VALUE where one is possible: its items are values.",
        _keys,
        from_text=True,
    ),
    AdviceKind(
        "unquoted-value",
        "a value of environment or labels without quotes that is not the text that was written",
        "without quotes it is read as a number or date, and its text changes",
        "Put it in quotes.",
        _unquoted,
        from_text=True,
    ),
    AdviceKind(
        "template-not-expanded",
        "`{{.Node`, `{{.Task` or `{{.Service` where the engine expands no templates",
        "templates are expanded in hostname, environment, mounts and volumes alone: here it stays as it is written",
        "Put it into an environment variable, and use that.",
        _templates,
    ),
]
