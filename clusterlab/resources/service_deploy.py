"""What plays say of how a service is deployed, option by option: in the API, and in commands.

What a play leaves out is compared and set only where the play has changed: then it is the engine's default again. While
it has not, others set it, and it stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from clusterlab.model.base import size_bytes
from clusterlab.model.deploy import Deploy

from .base import Difference
from .nano import SECOND, milliseconds, nano, processors
from .service_modes import is_job

Path = tuple[str, ...]

_TASK = "TaskTemplate"
_MONITOR = 5 * SECOND
_NEW = {"UpdateConfig": {"Parallelism": 1}, "RollbackConfig": {"Parallelism": 1}}
"""What a new one starts with, as commands do: the API takes no parallelism for 0, all tasks at a time."""


def _monitor(seconds: float) -> int:
    """The engine keeps no 0 there: it is the default."""
    return nano(seconds) or _MONITOR


@dataclass(frozen=True)
class Option:
    """One option: its key in a play's `deploy`, its place in the API, and its flag, the same for create and update."""

    key: Path
    path: Path
    flag: str
    default: Any  # what the engine has without it
    of_play: Callable[[Any], Any] = lambda value: value
    typed: Callable[[Any], str] = str


def _of_update(key: str, api: str, flag: str) -> Iterator[Option]:
    yield Option((key, "parallelism"), (api, "Parallelism"), f"--{flag}-parallelism", 1)
    yield Option((key, "delay"), (api, "Delay"), f"--{flag}-delay", 0, nano, milliseconds)
    yield Option((key, "failure_action"), (api, "FailureAction"), f"--{flag}-failure-action", "pause")
    yield Option((key, "monitor"), (api, "Monitor"), f"--{flag}-monitor", _MONITOR, _monitor, milliseconds)
    yield Option((key, "max_failure_ratio"), (api, "MaxFailureRatio"), f"--{flag}-max-failure-ratio", 0)
    yield Option((key, "order"), (api, "Order"), f"--{flag}-order", "stop-first")


def _of_restart() -> Iterator[Option]:
    key, path = "restart_policy", (_TASK, "RestartPolicy")
    yield Option((key, "condition"), (*path, "Condition"), "--restart-condition", "any")
    yield Option((key, "delay"), (*path, "Delay"), "--restart-delay", 5 * SECOND, nano, milliseconds)
    yield Option((key, "max_attempts"), (*path, "MaxAttempts"), "--restart-max-attempts", 0)
    yield Option((key, "window"), (*path, "Window"), "--restart-window", 0, nano, milliseconds)


def _of_resources() -> Iterator[Option]:
    for key, api, flag in (("limits", "Limits", "limit"), ("reservations", "Reservations", "reserve")):
        of, path = ("resources", key), (_TASK, "Resources", api)
        yield Option((*of, "cpus"), (*path, "NanoCPUs"), f"--{flag}-cpu", 0, nano, processors)
        yield Option((*of, "memory"), (*path, "MemoryBytes"), f"--{flag}-memory", 0, size_bytes)
    yield Option(("resources", "limits", "pids"), (_TASK, "Resources", "Limits", "Pids"), "--limit-pids", 0)


_CONDITION = (_TASK, "RestartPolicy", "Condition")
_OF_JOBS = "on-failure"
"""The restart policy that the engine has for jobs: what has completed does not start again."""

OPTIONS = (
    Option(("placement", "max_replicas_per_node"), (_TASK, "Placement", "MaxReplicas"), "--replicas-max-per-node", 0),
    Option(("endpoint_mode",), ("EndpointSpec", "Mode"), "--endpoint-mode", "vip"),
    *_of_restart(),
    *_of_resources(),
    *_of_update("update_config", "UpdateConfig", "update"),
    *_of_update("rollback_config", "RollbackConfig", "rollback"),
)
KEEPS_TASKS = ("update_config", "rollback_config")
"""Keys of `deploy` whose change replaces no task."""

Deployed = Mapping[Path, Any]
"""Options that a service should have, by their place in the API."""


def given(deploy: Deploy) -> Deployed:
    """The options of a play."""
    found = {one: _at(deploy, one.key) for one in OPTIONS}
    return {one.path: one.of_play(value) for one, value in found.items() if value is not None}


def defaults(spec: Mapping[str, Any]) -> Deployed:
    """The engine's default of every option that a service has otherwise."""
    return {one.path: _default(one, spec) for one in OPTIONS if _in(spec, one) != _default(one, spec)}


def differing(wanted: Deployed, spec: Mapping[str, Any]) -> list[Difference]:
    """Every option that a service has otherwise, as commands write it."""
    return [
        Difference(".".join(one.key), one.typed(wanted[one.path]), one.typed(_in(spec, one)))
        for one in OPTIONS
        if one.path in wanted and wanted[one.path] != _in(spec, one)
    ]


def flags(wanted: Deployed, spec: Mapping[str, Any]) -> list[str]:
    """The flags that give a service with `spec` what differs; of all options for an empty one."""
    options = (one for one in OPTIONS if one.path in wanted and (not spec or wanted[one.path] != _in(spec, one)))
    return [word for one in options for word in (one.flag, one.typed(wanted[one.path]))]


def put(wanted: Deployed, spec: dict[str, Any]) -> None:
    """Set the options in a service's spec, and nothing else."""
    for path, value in wanted.items():
        inner = spec
        for part in path[:-1]:
            if not inner.get(part):
                inner[part] = dict(_NEW.get(part, {}))
            inner = inner[part]
        inner[path[-1]] = value


def _at(deploy: Deploy, key: Path) -> Any:
    value: Any = deploy
    for part in key:
        value = getattr(value, part)
    return value


def _in(spec: Mapping[str, Any], option: Option) -> Any:
    value: Any = spec
    for part in option.path:
        value = (value or {}).get(part)
    return _default(option, spec) if value is None else value


def _default(option: Option, spec: Mapping[str, Any]) -> Any:
    return _OF_JOBS if option.path == _CONDITION and is_job(spec) else option.default
