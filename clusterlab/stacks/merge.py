"""Later files over earlier ones, as Docker's client merges them.

Source: merge.go of docker/cli's loader. A later scalar wins, but false, 0, "" and null do not, except for numbers that
Docker keeps by reference (replicas, parallelism, max_attempts, retries). Networks, volumes, configs and secrets are
replaced whole.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from .given import Given
from .stack import Attachment, Logging, Stack

T = TypeVar("T")
Environment = Mapping[str, Given[str | None]]
_BY_REFERENCE = ("replicas", "parallelism", "max_attempts", "retries")


def merge(base: Stack, later: Stack) -> Stack:
    """`base` with what `later` says."""
    services = dict(base.services)
    for key, service in later.services.items():
        services[key] = _merged(services[key], service) if key in services else service
    return replace(
        base,
        files=(*base.files, *later.files),
        services=dict(sorted(services.items())),
        networks={**base.networks, **later.networks},
        volumes={**base.volumes, **later.volumes},
        configs={**base.configs, **later.configs},
        secrets={**base.secrets, **later.secrets},
    )


def _merged(base: T, later: T) -> T:
    """A dataclass, field by field."""
    changes = {
        each.name: _value(each.name, getattr(base, each.name), getattr(later, each.name))
        for each in fields(base)  # type: ignore[arg-type]
        if each.name not in ("name", "place")
    }
    return replace(base, **changes)  # type: ignore[type-var]


def _value(name: str, base: Any, later: Any) -> Any:
    if name in _RULES:
        return _RULES[name](base, later)
    if base is None or later is None:
        return base if later is None else later
    if isinstance(later, Given):
        return later if later.value or name in _BY_REFERENCE else base
    if isinstance(later, frozenset):
        return base | later
    if isinstance(later, tuple):
        return (*base, *later)
    if isinstance(later, Mapping):
        return {**base, **later}
    return _merged(base, later) if is_dataclass(later) else later


def _later_if_any(base: T, later: T) -> T:
    return later or base


def _by_key(key: Callable[[Any], Hashable]) -> Callable[[Sequence[Any], Sequence[Any]], tuple[Any, ...]]:
    """Lists whose later items replace earlier ones with the same key.

    In the order of the keys.

    Where there was none before, the later list stays as it is.
    """

    def merged(base: Sequence[Any], later: Sequence[Any]) -> tuple[Any, ...]:
        if not base:
            return tuple(later)
        items = {key(item): item for item in (*base, *later)}
        return tuple(items[found] for found in sorted(items, key=lambda found: (found is None, found)))

    return merged


def _environment(base: Environment, later: Environment) -> Environment:
    """A variable that is empty later does not replace one that has a value."""

    def wins(key: str, given: Given[str | None]) -> bool:
        return key not in base or bool(given.value) or (given.value is not None and base[key].value is None)

    return {**base, **{key: given for key, given in later.items() if wins(key, given)}}


def _networks(base: Mapping[str, Attachment], later: Mapping[str, Attachment]) -> dict[str, Attachment]:
    """Replace the aliases of a network that is in both.

    Unless the later entry is null.
    """
    changed = {
        key: replace(base[key], aliases=one.aliases, ignored={**base[key].ignored, **one.ignored})
        if key in base
        else one
        for key, one in later.items()
        if one.given or key not in base
    }
    return {**base, **changed}


def _logging(base: Logging | None, later: Logging | None) -> Logging | None:
    """Options merge under one driver, if the earlier one has any.

    Another driver takes its own options alone.
    """
    if base is None or later is None:
        return later or base
    names = [one.driver.value if one.driver else "" for one in (base, later)]
    if all(names) and names[0] != names[1]:
        return later
    options = None if base.options is None else {**base.options, **(later.options or {})}
    return Logging(base.place, base.driver if names[0] else later.driver, options)


_RULES: Mapping[str, Callable[[Any, Any], Any]] = {
    "command": _later_if_any,
    "entrypoint": _later_if_any,
    "ports": _by_key(lambda port: port.published),
    "volumes": _by_key(lambda mount: mount.target),
    "configs": _by_key(lambda reference: reference.source),
    "secrets": _by_key(lambda reference: reference.source),
    "environment": _environment,
    "networks": _networks,
    "logging": _logging,
}


def merge_all(stacks: Sequence[Stack]) -> Stack:
    """All files of one stack, in their order."""
    first, *others = stacks
    for other in others:
        first = merge(first, other)
    return first
