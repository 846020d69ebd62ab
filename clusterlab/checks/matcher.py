"""Compare a text or a value with what a play expects, and say how it differs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from clusterlab.errors import UsageError
from clusterlab.model.checks import MatcherSpec
from clusterlab.redaction import clean

_SHOWN = 300  # characters of a value in a sentence; the whole of it is in the evidence's output


@dataclass(frozen=True)
class Match:
    """One value against one matcher, in words."""

    holds: bool
    wanted: str
    found: str


def match(spec: MatcherSpec, value: object, visible: Callable[[object], object] = lambda value: value) -> Match:
    """Compare `value` with `spec`: every key given must hold.

    A text is compared without its last line end. `contains` and `lacks` mean a part of a text, an item of a list,
    a key of a mapping. `matches` on a list asks for one item that matches. An empty list or mapping lacks everything
    and shows nothing: it must be what `spec` expects. `visible` is what people may see of a value. Raises UsageError
    when `spec` asserts nothing.
    """
    if isinstance(value, str):
        value = value.removesuffix("\n")
    problems = _problems(spec, value)
    shown = show(visible(value))
    found = shown if not problems else f"{shown}: {'; '.join(problems)}"
    return Match(not problems, describe(spec), found)


def describe(spec: MatcherSpec) -> str:
    """What `spec` expects, to complete the sentence "it must be something that ..."."""
    parts = []
    if "equals" in spec.model_fields_set:
        parts.append(f"equals {show(spec.equals)}")
    if spec.contains:
        parts.append("contains " + " and ".join(map(show, spec.contains)))
    if spec.lacks:
        parts.append("does not contain " + " nor ".join(map(show, spec.lacks)))
    if spec.matches is not None:
        parts.append(f"matches /{spec.matches}/")
    if spec.lines is not None:
        parts.append(f"has {spec.lines} lines or items")
    if spec.empty is not None:
        parts.append("is empty" if spec.empty else "is not empty")
    if spec.evenly:
        parts.append("consists of " + " and ".join(map(show, spec.evenly)) + ", each as often as any other")
    if spec.between:
        parts.append(f"is a number from {spec.between[0]} to {spec.between[1]}")
    if not parts:
        raise UsageError(
            "a matcher without any key asserts nothing",
            remedy="give one of equals, contains, lacks, matches, lines, empty, evenly, between",
        )
    return ", ".join(parts)


def show(value: object) -> str:
    """A value as it reads in a sentence: JSON, shortened.

    Cleaned before, since half a secret is not recognised.
    """
    text = clean(json.dumps(value, ensure_ascii=False, default=str))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}... ({len(text)} characters)"


def _problems(spec: MatcherSpec, value: object) -> list[str]:
    problems = []
    if "equals" in spec.model_fields_set and not _same(spec.equals, value):
        problems.append(f"is not {show(spec.equals)}")
    problems += [f"{show(part)} is missing" for part in spec.contains if not _has(value, part)]
    problems += [f"{show(part)} is in it" for part in spec.lacks if _has(value, part)]
    if spec.lacks and is_nothing(value) and not expects_nothing(spec):
        problems.append("it is empty, which proves nothing about what must not be in it")
    if spec.matches is not None and not _matches(spec.matches, value):
        problems.append("nothing in it matches")
    if spec.lines is not None and _size(value) != spec.lines:
        problems.append(f"has {_size(value)}")
    if spec.empty is not None and _is_empty(value) != spec.empty:
        problems.append("is not empty" if spec.empty else "is empty")
    if spec.evenly:
        problems += _unevenly(spec.evenly, value)
    if spec.between and not _is_between(spec.between, value):
        problems.append(f"is not from {spec.between[0]} to {spec.between[1]}")
    return problems


def expects_nothing(spec: MatcherSpec) -> bool:
    """Whether a matcher says itself that there must be nothing."""
    return spec.empty is True or spec.lines == 0 or ("equals" in spec.model_fields_set and is_nothing(spec.equals))


def is_nothing(value: object) -> bool:
    """No value, or a list or mapping without items.

    An empty text is something that was said.
    """
    if isinstance(value, list):
        return all(isinstance(item, list) and is_nothing(item) for item in value)
    return value is None or value == {}


def _is_between(limits: list[int], value: object) -> bool:
    try:
        return limits[0] <= float(_as_text(value)) <= limits[1]
    except ValueError:
        return False


def _same(wanted: object, value: object) -> bool:
    """Equality as a person means it.

    Engines report many numbers as texts, and a text has a line end.
    """
    if isinstance(wanted, str) and isinstance(value, str):
        return wanted.removesuffix("\n") == value
    if isinstance(wanted, bool) or isinstance(value, bool):
        return wanted is value
    if isinstance(wanted, int | float) and isinstance(value, str):
        return str(wanted) == value.strip()
    if isinstance(wanted, list) and isinstance(value, list):
        return len(wanted) == len(value) and all(map(_same, wanted, value))
    return wanted == value


def _has(value: object, part: str) -> bool:
    if isinstance(value, list):
        return any(_as_text(item) == part for item in value)
    if isinstance(value, dict):
        return part in value
    return part in _as_text(value)


def _matches(pattern: str, value: object) -> bool:
    texts = map(_as_text, value) if isinstance(value, list) else [_as_text(value)]
    try:
        return any(re.search(pattern, text, re.MULTILINE) for text in texts)
    except re.error as error:
        raise UsageError(f"/{pattern}/ is not a regular expression: {error}") from error


def _unevenly(wanted: list[str], value: object) -> list[str]:
    """Why a value does not have each of `wanted` equally often, and nothing else.

    Give or take one.
    """
    items = [_as_text(item) for item in value] if isinstance(value, list) else _as_text(value).splitlines()
    if not items:
        return ["it is empty"]
    counts = {name: items.count(name) for name in wanted}
    problems = [f"{show(item)} is none of them" for item in dict.fromkeys(items) if item not in counts]
    if max(counts.values()) - min(counts.values()) > 1:
        problems.append("not evenly: " + ", ".join(f"{name} {count} times" for name, count in counts.items()))
    return problems


def _size(value: object) -> int:
    if isinstance(value, list | dict):
        return len(value)
    return len(_as_text(value).splitlines())


def _is_empty(value: object) -> bool:
    if isinstance(value, list | dict):
        return not value
    return not _as_text(value).strip()


def _as_text(value: object) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)
