"""How something differs from what is wanted, option by option."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .base import HIDDEN, Difference

_ABSENT = (None, "", 0, False)


def same(wanted: Any, found: Any) -> bool:
    """Whether two values mean the same.

    What is absent, empty, zero and off are one, as in the engine's API.
    """
    if _absent(wanted) and _absent(found):
        return True
    return bool(wanted == found)


def differences(prefix: str, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> list[Difference]:
    """Every key of either that differs, named `prefix.key`."""
    keys = [*wanted, *(key for key in found if key not in wanted)]
    return [
        Difference(f"{prefix}.{key}" if prefix else key, wanted.get(key), found.get(key))
        for key in keys
        if not same(wanted.get(key), found.get(key))
    ]


def describe(found: list[Difference] | tuple[Difference, ...]) -> str:
    """Differences in one line, for people."""
    return "; ".join(map(_sentence, found))


def variables(entries: Sequence[str] | None) -> dict[str, str]:
    """An environment as the engine's API has it, NAME=value, by name."""
    return {name: value for name, _, value in (entry.partition("=") for entry in entries or [])}


def environment_differences(wanted: Mapping[str, str], found: Mapping[str, str]) -> list[Difference]:
    """Every variable that differs, by name alone.

    Nobody may see the values, whatever the variable is called.
    """
    return [
        Difference(f"environment.{name}", HIDDEN if name in wanted else None, HIDDEN if name in found else None)
        for name in dict.fromkeys([*wanted, *found])
        if wanted.get(name) != found.get(name)
    ]


def _sentence(one: Difference) -> str:
    return f"{one.name} " + (one.hidden or f"is {_shown(one.found)}, wanted {_shown(one.wanted)}")


def _absent(value: Any) -> bool:
    return value in _ABSENT or (isinstance(value, list | dict | tuple) and not value)


def _shown(value: Any) -> str:
    return "not set" if _absent(value) and not isinstance(value, bool) else str(value)
