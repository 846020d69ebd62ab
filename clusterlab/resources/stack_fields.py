"""A service's spec field by field, under the names of stack files.

What differs, and whether tasks restart for it.

Both the spec that a stack sends and the one that the Swarm reports are brought into one form: what is empty or the
engine's default is left out, lists of named things are mappings, networks go by their names. Sources: the defaults in
swarmkit's api/defaults; IsTaskDirty in swarmkit's manager/orchestrator.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from clusterlab.stacks.service_specs import IMAGE, Spec

from .base import HIDDEN, Difference
from .labels import own_labels

Path = tuple[str, ...]

_SECOND = 10**9
_UPDATE = {"Parallelism": 1, "FailureAction": "pause", "Monitor": 5 * _SECOND, "MaxFailureRatio": 0,
           "Order": "stop-first"}  # fmt: skip
_DEFAULTS: Mapping[Path, Any] = {
    ("Mode", "Replicated", "Replicas"): 1,
    ("Mode", "ReplicatedJob", "MaxConcurrent"): 1,
    ("Mode", "ReplicatedJob", "TotalCompletions"): 1,
    ("TaskTemplate", "Runtime"): "container",
    ("TaskTemplate", "ContainerSpec", "Isolation"): "default",
    ("TaskTemplate", "ContainerSpec", "StopGracePeriod"): 10 * _SECOND,
    ("TaskTemplate", "RestartPolicy", "Condition"): "any",
    ("TaskTemplate", "RestartPolicy", "Delay"): 5 * _SECOND,
    ("TaskTemplate", "RestartPolicy", "MaxAttempts"): 0,
    ("TaskTemplate", "RestartPolicy", "Window"): 0,
    ("EndpointSpec", "Mode"): "vip",
    **{(config, key): value for config in ("UpdateConfig", "RollbackConfig") for key, value in _UPDATE.items()},
}
_OWN_TO_THE_ENGINE = {("TaskTemplate", "ForceUpdate"), ("TaskTemplate", "Placement", "Platforms"), ("Name",),
                      ("TaskTemplate", "ContainerSpec", "Image")}  # fmt: skip
"""What no stack file says; the image is compared by itself."""

IMAGE_LABEL = ("Labels", IMAGE)
"""The image as it was written in the stack's files."""

_CONTAINER = ("TaskTemplate", "ContainerSpec")
_NAMES: tuple[tuple[Path, str], ...] = (
    ((*_CONTAINER, "Command"), "entrypoint"),
    ((*_CONTAINER, "Args"), "command"),
    ((*_CONTAINER, "Dir"), "working_dir"),
    ((*_CONTAINER, "TTY"), "tty"),
    ((*_CONTAINER, "OpenStdin"), "stdin_open"),
    ((*_CONTAINER, "Hosts"), "extra_hosts"),
    ((*_CONTAINER, "DNSConfig", "Nameservers"), "dns"),
    ((*_CONTAINER, "DNSConfig", "Search"), "dns_search"),
    ((*_CONTAINER, "CapabilityAdd"), "cap_add"),
    ((*_CONTAINER, "CapabilityDrop"), "cap_drop"),
    ((*_CONTAINER, "Env"), "environment"),
    ((*_CONTAINER, "Mounts"), "volumes"),
    ((*_CONTAINER, "Privileges", "CredentialSpec"), "credential_spec"),
    (_CONTAINER, ""),
    (("TaskTemplate", "LogDriver", "Name"), "logging.driver"),
    (("TaskTemplate", "LogDriver"), "logging"),
    (("TaskTemplate", "Networks"), "networks"),
    (("TaskTemplate",), "deploy"),
    (("EndpointSpec", "Ports"), "ports"),
    (("EndpointSpec",), "deploy.endpoint"),
    (("Mode", "Replicated"), "deploy"),
    (("Mode", "ReplicatedJob"), "deploy"),
    (("Mode",), "deploy"),
    ((), "deploy"),
)
"""What the stack files call a part of a spec; the first that fits."""
_MAPS = ("Labels", "Env", "Options", "Sysctls", "DriverOpts")
"""Parts whose keys are people's, not the API's."""
_DURATIONS = frozenset({"Delay", "Monitor", "Window", "StopGracePeriod", "Interval", "Timeout", "StartPeriod",
                        "StartInterval"})  # fmt: skip


def differences_of(wanted: Spec, found: Spec, network_names: Mapping[str, str]) -> dict[Path, Difference]:
    """Every field of a service that differs but the image, by its path in the API.

    `network_names` are by their id.
    """
    one, other = flat(comparable(wanted, {})), flat(comparable(found, network_names))
    return {
        path: _difference(path, one.get(path), other.get(path))
        for path in dict.fromkeys([*one, *other])
        if one.get(path) != other.get(path)
    }


def restarts(path: Path) -> bool:
    """Whether a difference there replaces the tasks.

    All in the task's template does, and ports and their mode do.

    Another image label does: the digest that the service has is not kept then. A task stays where only the placement
    changed, as long as its node is allowed.
    """
    return path == IMAGE_LABEL or (path[0] in ("TaskTemplate", "EndpointSpec") and not is_placement(path))


def is_placement(path: Path) -> bool:
    return path[:2] == ("TaskTemplate", "Placement")


def comparable(spec: Spec, network_names: Mapping[str, str]) -> Spec:
    """A spec with lists of named things as mappings.

    Without clusterlab's own labels.
    """
    task = dict(spec.get("TaskTemplate") or {})
    container = dict(task.get("ContainerSpec") or {})
    container["Env"] = dict(_variable(entry) for entry in container.get("Env") or [])
    container["Mounts"] = _by(container.get("Mounts"), lambda one: str(one.get("Target")), ("Target",))
    for kind in ("Secret", "Config"):
        container[f"{kind}s"] = _by(container.get(f"{kind}s"), _reference(kind), (f"{kind}ID", f"{kind}Name"))
    container["Ulimits"] = _by(container.get("Ulimits"), lambda one: str(one.get("Name")), ("Name",))
    for key in ("CapabilityAdd", "CapabilityDrop"):
        container[key] = sorted(container.get(key) or [])
    task["ContainerSpec"] = container
    task["Networks"] = {
        network_names.get(one["Target"], one["Target"]): {
            "Present": True,
            "Aliases": sorted(one.get("Aliases") or []),
            "DriverOpts": one.get("DriverOpts"),
        }
        for one in task.get("Networks") or spec.get("Networks") or []
    }
    endpoint = dict(spec.get("EndpointSpec") or {})
    endpoint["Ports"] = {_port(one): one.get("PublishMode") or "ingress" for one in endpoint.get("Ports") or []}
    result = {key: value for key, value in spec.items() if key not in ("Networks", "TaskTemplate", "EndpointSpec")}
    return {
        **result,
        "Labels": own_labels(spec.get("Labels")),
        "TaskTemplate": task,
        "EndpointSpec": endpoint,
        "Mode": {
            **(spec.get("Mode") or {}),
            "mode": next(map(_snake, spec.get("Mode") or {}), "replicated").replace("_", "-"),
        },
    }


def flat(spec: Spec) -> dict[Path, Any]:
    """Every value by its path, without the empty and default ones.

    Without those that a stack file does not determine, too.
    """
    return dict(_flat(spec, ()))


def _flat(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if path in _OWN_TO_THE_ENGINE:
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, (*path, str(key)))
    elif path in _DEFAULTS:
        if value is not None and value != _DEFAULTS[path]:
            yield path, value
    elif not _is_default(path, value):
        yield path, value


def _is_default(path: Path, value: Any) -> bool:
    """Whether a value is as good as none: empty, off, or the default of a mount.

    `init: false` is not: none leaves it to the engine's configuration. Nor is an empty value of a variable, label or
    option.
    """
    end = path[-1]
    if any(part in _MAPS for part in path[:-1]):
        return value is None
    if not value:
        return value is not False or end != "Init"
    return (end == "Consistency" and value == "default") or (end == "Propagation" and value == "rprivate")


def _variable(entry: str) -> tuple[str, str | None]:
    name, has_value, value = entry.partition("=")
    return name, value if has_value else "(unset)"


def _reference(kind: str) -> Callable[[Spec], str]:
    def key(one: Spec) -> str:
        file = (one.get("File") or {}).get("Name")
        return f"{one.get(f'{kind}Name')}" + (f" at {file}" if file else "")

    return key


def _by(items: Any, key: Callable[[Spec], str], without: Path) -> dict[str, Spec]:
    """Items of a list by their names; one that has nothing else is still there."""
    return {
        key(one): {"Present": True, **{name: value for name, value in one.items() if name not in without}}
        for one in items or []
    }


def _port(one: Spec) -> str:
    return f"{one.get('PublishedPort') or 'any'}:{one.get('TargetPort')}/{one.get('Protocol') or 'tcp'}"


def _difference(path: Path, wanted: Any, found: Any) -> Difference:
    name = field_name(path)
    if path[:3] == (*_CONTAINER, "Env"):  # nobody may see the values, whatever the variable is called
        return Difference(name, None if wanted is None else HIDDEN, None if found is None else HIDDEN)
    return Difference(name, _shown(path, wanted), _shown(path, found))


def _shown(path: Path, value: Any) -> Any:
    if value is not None and path[-1] in _DURATIONS:
        return f"{value / _SECOND:g}s"
    if value is not None and path[-1] == "NanoCPUs":
        return f"{value / _SECOND:g}"
    if value is None and path in _DEFAULTS:
        return _shown(path, _DEFAULTS[path]) if not _is_same_default(path) else None
    return value


def _is_same_default(path: Path) -> bool:
    return _DEFAULTS[path] in (0, "container", "default")


def field_name(path: Path) -> str:
    """A path in the API as stack files name it."""
    prefix, name = next((known, name) for known, name in _NAMES if path[: len(known)] == known)
    rest = [part for part in path[len(prefix) :] if part != "Present"]
    theirs = next((index + 1 for index, part in enumerate(path) if part in _MAPS), len(path))
    written = [
        _snake(part) if index + len(prefix) < theirs and re.fullmatch(r"[A-Z][A-Za-z]*", part) else part
        for index, part in enumerate(rest)
    ]
    if prefix == ("EndpointSpec",):
        return "_".join(["deploy.endpoint", *written])
    return ".".join(part for part in (name, *written) if part)


def _snake(part: str) -> str:
    if part == "NanoCPUs":
        return "cpus"
    if part == "MemoryBytes":
        return "memory"
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", part).lower()
