"""Validation errors in plain English, at their place in the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from .annotations import keys_of, models_at
from .base import NAME_PATTERN, OBJECT_PATTERN, RATE_PATTERN, SIZE_PATTERN, InvalidModel, Model
from .compose_keys import compose_key
from .matcher import MatcherSpec
from .problems import Problem, either, near_misses, suggest
from .source import Document, KeyPath

_WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a duration",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}

_SHAPES = {
    NAME_PATTERN: "must consist of lower-case letters, digits and inner dashes, at most 63 characters",
    OBJECT_PATTERN: "must consist of letters, digits and _.- (not first), at least two characters",
    SIZE_PATTERN: "must be a size such as 512M or 1G",
    RATE_PATTERN: "must be bytes in a second such as 500K or 10M",
    r"^[a-z]+$": "must be the name of a release, such as trixie",
}


_ENVIRONMENT = "environment"


@dataclass(frozen=True)
class _Error:
    """One validation error, its location split into two parts.

    What is in the file, and what only pydantic knows.
    """

    path: KeyPath
    union: KeyPath | None  # where a choice between types was made, if one was
    detail: ErrorDetails

    @property
    def type(self) -> str:
        return self.detail["type"]


def explain(error: ValidationError, model: type[Model], document: Document) -> list[Problem]:
    """All that `error` says of `document`, which should have been a `model`."""
    errors = [_located(detail, document.value) for detail in error.errors(include_url=False)]
    unknown = {item.path for item in errors if item.type == "extra_forbidden"}
    problems: list[Problem] = []
    for item in _settled(errors):
        if item.type == "missing" and _written_otherwise(item.path, unknown):
            continue
        problems.extend(_problems(item, errors, model, document))
    return problems


def _located(detail: ErrorDetails, value: Any) -> _Error:
    path: KeyPath = ()
    part: Any
    union: KeyPath | None = None
    *most, last = detail["loc"] or (None,)
    for part in [*most, *([] if detail["type"] == "missing" or last is None else [last])]:
        if (isinstance(value, dict) and part in value) or (
            isinstance(value, list) and isinstance(part, int) and part < len(value)
        ):
            value = value[part]
            path = (*path, part)
        elif isinstance(part, str) and part != "[key]":
            union = path
    if detail["type"] == "missing" and last is not None:
        path = (*path, last)
    return _Error(path, union, detail)


def _settled(errors: list[_Error]) -> Iterator[_Error]:
    """`errors` without those of the types that a value was not meant to be."""
    meant = {
        error.union
        for error in errors
        if error.union is not None and (len(error.path) > len(error.union) or error.type not in _WANTED)
    }
    seen: set[tuple[KeyPath, str]] = set()
    for error in errors:
        shallow = error.union is not None and error.path == error.union
        if shallow and error.union in meant and error.type in _WANTED:
            continue
        kind = "wanted" if error.type in _WANTED else repr(error.detail["msg"])
        if (error.path, kind) not in seen:
            seen.add((error.path, kind))
            yield error


def _written_otherwise(missing: KeyPath, unknown: Iterable[KeyPath]) -> bool:
    """Whether a missing key exists in another spelling, which is reported already."""
    *parent, name = missing
    misspelt = [str(path[-1]) for path in unknown if list(path[:-1]) == parent]
    return any(near_misses(other, [str(name)]) for other in misspelt)


def _problems(error: _Error, all_errors: list[_Error], model: type[Model], document: Document) -> Iterator[Problem]:
    cause = error.detail.get("ctx", {}).get("error")
    if isinstance(cause, InvalidModel):
        for issue in cause.issues:
            path = (*error.path, *issue.at)
            yield _problem(document, path, issue.message, issue.remedy, key=issue.key or path not in document.values)
    elif error.type == "extra_forbidden":
        message, remedy = _unknown_key(str(error.path[-1]), error.path[:-1], model)
        yield _problem(document, error.path[:-1], message, remedy, position=error.path)
    elif error.type == "missing":
        yield _problem(document, error.path[:-1], f"the key '{error.path[-1]}' is missing", key=True)
    elif error.detail["loc"] and error.detail["loc"][-1] == "[key]":
        yield _problem(document, error.path, f"the name '{error.path[-1]}' {_shape(error)}", key=True)
    else:
        siblings = [other for other in all_errors if other.path == error.path and other.type in _WANTED]
        yield _problem(document, error.path, *_wrong_value(error, siblings, document))


def _problem(
    document: Document,
    path: KeyPath,
    message: str,
    remedy: str = "",
    *,
    key: bool = False,
    position: KeyPath | None = None,
) -> Problem:
    """A problem whose message begins with the keys that lead to it."""
    subject = dotted(path)
    at = path if position is None else position
    return document.problem(
        at, f"{subject}: {message}" if subject else message, remedy, key=key or position is not None
    )


def dotted(path: KeyPath) -> str:
    """A path for people: containers.app.volumes[0]."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def _unknown_key(key: str, path: KeyPath, root: type[Model]) -> tuple[str, str]:
    models = models_at(root, path)
    for model in models:
        if answer := compose_key(model, key):
            return answer
    known = [name for model in models for name in keys_of(model)]
    if MatcherSpec in models and not near_misses(key, known):
        return f"unknown key '{key}' of a matcher", "To compare with a mapping, write it under equals."
    return f"unknown key '{key}'", suggest(key, known, "Keys here")


def _wrong_value(error: _Error, siblings: list[_Error], document: Document) -> tuple[str, str]:
    """What is wrong with a value, and the remedy.

    One of an environment is not quoted, for it may be a secret.
    """
    if _ENVIRONMENT in error.path[:-1]:
        wanted = [_WANTED[other.type] for other in siblings] or ["text"]
        return f"must be {either(list(dict.fromkeys(wanted)))}", "Put it in quotes."
    value = error.detail["input"]
    context: Mapping[str, Any] = error.detail.get("ctx", {})
    match error.type:
        case kind if kind in _WANTED:
            return _wrong_type(error, siblings, document)
        case "literal_error":
            return _no_choice(value, context["expected"])
        case "greater_than_equal":
            return f"must be at least {context['ge']:g}, not {value}", ""
        case "less_than_equal":
            return f"must be at most {context['le']:g}, not {value}", ""
        case "string_pattern_mismatch":
            return f"'{value}' {_shape(error)}", ""
        case "string_too_short" | "too_short":
            return "must not be empty", ""
        case "ip_v4_address":
            return f"'{value}' is not an IPv4 address", ""
        case "ip_v4_network":
            return f"'{value}' is not an IPv4 network", "Write it like 192.168.98.0/24, with nothing after the prefix."
        case "path_type":
            return f"must be a path, not {_named(value)}", ""
        case "value_error":
            return str(context["error"]), ""
        case _:
            return f"{_named(value)} cannot be here", ""


def _shape(error: _Error) -> str:
    return _SHAPES.get(error.detail.get("ctx", {}).get("pattern", ""), "has an invalid form")


def _wrong_type(error: _Error, siblings: list[_Error], document: Document) -> tuple[str, str]:
    value = error.detail["input"]
    wanted = list(dict.fromkeys(_WANTED[other.type] for other in siblings))
    remedy = ""
    if isinstance(value, dict) and error.path[-2:-1] in (("volumes",), ("ports",)):
        remedy = (
            "Compose's long form is not supported by clusterlab: write the short form, such as NAME:/path or 8080:80."
        )
    elif "text" in wanted and isinstance(value, bool | int | float):
        text = document.texts.get(error.path, str(value))
        remedy = "Put it in quotes in the inventory." if "${" in text else f'Put it in quotes: "{text}".'
    elif isinstance(value, str) and "a whole number" in wanted and value.isdecimal():
        remedy = f"Leave the quotes out: {value}."
    elif isinstance(value, str) and "true or false" in wanted and value.lower() in ("on", "yes", "off", "no"):
        remedy = f"Write {'true' if value.lower() in ('on', 'yes') else 'false'}."
    return f"must be {either(wanted)}, not {_named(value)}", remedy


def _no_choice(value: object, expected: str) -> tuple[str, str]:
    """`expected` is pydantic's list of the choices, as in "'a', 'b' or 'c'"."""
    choices = [choice.strip("'") for choice in expected.replace(" or ", ", ").split(", ")]
    if choices == ["True"]:
        return f"must be true, not {_named(value)}", ""
    near = near_misses(value, choices) if isinstance(value, str) else []
    remedy = f"Did you mean {either([repr(name) for name in near])}?" if near else ""
    return f"must be {either(choices)}, not {_named(value)}", remedy


def _named(value: object) -> str:
    """A value in a sentence."""
    match value:
        case None:
            return "empty"
        case bool():
            return str(value).lower()
        case str():
            return f"'{value}'"
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case _:
            return f"the number {value}"
