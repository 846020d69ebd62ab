"""The key `deploy` of a service."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from .field import Field, Keys
from .given import Given
from .quantities import nano_cpus, size_in_bytes
from .stack import Deploy, GenericResource, Resources, RestartPolicy, Update

T = TypeVar("T")

_KEYS = {
    **dict.fromkeys(["mode", "replicas", "labels", "update_config", "resources", "restart_policy", "placement"], ""),
    "endpoint_mode": "3.2",
    "rollback_config": "3.7",
}
_UPDATE = {
    **dict.fromkeys(["parallelism", "delay", "failure_action", "monitor", "max_failure_ratio"], ""),
    "order": "3.4",
}
_RESTART = dict.fromkeys(["condition", "delay", "max_attempts", "window"], "")
_PLACEMENT = {"constraints": "", "preferences": "3.3", "max_replicas_per_node": "3.8"}
_LIMITS = {"cpus": "", "memory": "", "pids": "3.9"}
_RESERVATIONS = {"cpus": "", "memory": "", "generic_resources": "3.5"}
_REFUSED_RESERVATIONS = {
    "devices": (
        "docker stack deploy refuses this key of Compose",
        "Use generic_resources, and node-generic-resources in the engine's daemon.json.",
    ),
    "pids": ("pids can be limited, not reserved", "Move it to deploy.resources.limits."),
}


def read_deploy(field: Field) -> Deploy:
    """How a service is deployed; null is the same as nothing."""
    if field.value is None:
        return Deploy(field.place)
    keys = field.keys(_KEYS)
    resources = keys.read("resources", lambda value: value.keys({"limits": "", "reservations": ""}))
    placement = keys.read("placement", lambda value: value.keys(_PLACEMENT))
    return Deploy(
        place=field.place,
        mode=keys.read("mode", Field.text),
        replicas=keys.read("replicas", Field.whole),
        labels=keys.read("labels", Field.labels) or {},
        endpoint_mode=keys.read("endpoint_mode", Field.text),
        update_config=keys.read("update_config", read_update),
        rollback_config=keys.read("rollback_config", read_update),
        restart_policy=keys.read("restart_policy", _restart_policy),
        limits=resources.read("limits", _limits) if resources else None,
        reservations=resources.read("reservations", _reservations) if resources else None,
        constraints=placement.read_list("constraints", _constraints) if placement else (),
        preferences=placement.read_list("preferences", _preferences) if placement else (),
        max_replicas_per_node=placement.read("max_replicas_per_node", Field.whole) if placement else None,
    )


def read_update(field: Field) -> Update:
    """update_config or rollback_config."""
    keys = field.keys(_UPDATE)
    return Update(
        field.place,
        keys.read("parallelism", Field.whole),
        keys.read("delay", Field.duration),
        keys.read("failure_action", Field.text),
        keys.read("monitor", Field.duration),
        keys.read("max_failure_ratio", Field.number),
        keys.read("order", lambda value: value.one_of("start-first", "stop-first")),
    )


def _restart_policy(field: Field) -> RestartPolicy:
    keys = field.keys(_RESTART)
    return RestartPolicy(
        field.place,
        keys.read("condition", Field.text),
        keys.read("delay", Field.duration),
        keys.read("max_attempts", Field.whole),
        keys.read("window", Field.duration),
    )


def _limits(field: Field) -> Resources:
    keys = field.keys(_LIMITS)
    pids = keys.read("pids", lambda value: value.whole(least=None))
    return Resources(field.place, _cpus(keys), keys.read("memory", _memory), pids)


def _reservations(field: Field) -> Resources:
    keys = field.keys(_RESERVATIONS, refused=_REFUSED_RESERVATIONS)
    generic = keys.read_list("generic_resources", lambda value: value.items(_generic_resource, unique=False))
    return Resources(field.place, _cpus(keys), keys.read("memory", _memory), None, generic)


def _cpus(keys: Keys) -> Given[int] | None:
    return keys.read("cpus", _processors)


def _processors(field: Field) -> Given[int] | None:
    return field.parsed(field.text(), nano_cpus, 'a number of processors, such as "0.5", with nine decimals at most')


def _memory(field: Field) -> Given[int] | None:
    return field.parsed(field.text(), size_in_bytes, "a size such as 512M or 1.5G")


def _generic_resource(field: Field) -> GenericResource | None:
    inner = _required(field, "discrete_resource_spec", lambda value: value.keys({"kind": "", "value": ""}))
    if inner is None:
        return None
    kind, value = inner.read("kind", Field.text), inner.read("value", lambda number: number.whole(truncated=True))
    return GenericResource(field.place, kind.value if kind else "", value.value if value else 0)


def _constraints(field: Field) -> tuple[Given[str], ...]:
    return field.items(Field.text, unique=False)


def _preferences(field: Field) -> tuple[Given[str], ...]:
    return field.items(lambda item: _required(item, "spread", Field.text), unique=False)


def _required(field: Field, key: str, read: Callable[[Field], T | None]) -> T | None:
    """The only key of a mapping."""
    keys = field.keys({key: ""})
    if isinstance(field.value, dict) and key not in keys:
        field.wrong(f"the key '{key}' is missing")
    return keys.read(key, read)
