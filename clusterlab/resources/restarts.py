"""What a change of a stack's service does to its tasks and to their data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clusterlab.stacks.service_specs import Spec

from .base import Difference
from .stack_fields import IMAGE_LABEL, Path, is_placement, restarts

_SECOND = 10**9


def may_end_tasks(spec: Spec, differing: Mapping[Path, Difference]) -> bool:
    """Whether an update to `spec` ends tasks, or may.

    It replaces them, moves them, or wants fewer.

    A job runs again with each update, even of its labels alone.
    """
    return _is_job(spec) or _fewer(differing) > 0 or any(restarts(path) or is_placement(path) for path in differing)


def effect_of(spec: Spec, differing: Mapping[Path, Difference]) -> str:
    """What an update to `spec` does to the tasks, in words."""
    effects = []
    if _is_job(spec):
        effects.append("the job runs again, with new tasks")
    elif any(restarts(path) for path in differing if path != IMAGE_LABEL):
        effects.append("its tasks are replaced")
    elif IMAGE_LABEL in differing:
        effects.append("its tasks are replaced unless the image stays the same to the digest")
    elif any(map(is_placement, differing)):
        effects.append("tasks stay where their node is still allowed, others are replaced")
    if fewer := _fewer(differing):
        effects.append(f"{fewer} task{'' if fewer == 1 else 's'} fewer, which end{'s' if fewer == 1 else ''}")
    return "; ".join(effects) or "no task restarts"


def _is_job(spec: Spec) -> bool:
    return any(key.endswith("Job") for key in spec["Mode"])


def _fewer(differing: Mapping[Path, Difference]) -> int:
    """How many replicas less are wanted than there are."""
    replicas = differing.get(("Mode", "Replicated", "Replicas"))
    return max(int(str(replicas.found)) - int(str(replicas.wanted)), 0) if replicas else 0


@dataclass(frozen=True)
class Restart:
    """The tasks of a service that an update replaces, and in which way."""

    service: str
    tasks: tuple[str, ...]  # NAME.SLOT on HOST
    order: str

    def __str__(self) -> str:
        return f"{self.service}: {', '.join(self.tasks) or 'no task runs'}; {self.order}"


def restart_of(
    name: str,
    spec: Spec,
    differing: Iterable[Path],
    tasks: Sequence[Mapping[str, Any]],
    nodes: Mapping[str, str],
    allowed: Sequence[str],
) -> Restart | None:
    """The restart that an update to `spec` means; None when no task restarts.

    `nodes` are host names by id, `allowed` those that can take the tasks afterwards.
    """
    changed = list(differing)
    running = [(one, nodes.get(str(one.get("NodeID", "")), "no node")) for one in tasks if _runs(one)]
    if any(map(restarts, changed)):
        return Restart(name, _named(name, running), update_order(spec))
    moving = [(one, node) for one, node in running if node not in allowed]
    if moving and any(map(is_placement, changed)):
        return Restart(name, _named(name, moving), "their node is no longer allowed")
    return None


def _runs(task: Mapping[str, Any]) -> bool:
    return task.get("DesiredState") == "running"


def _named(name: str, tasks: Iterable[tuple[Mapping[str, Any], str]]) -> tuple[str, ...]:
    return tuple(sorted(f"{name}.{task.get('Slot') or node} on {node}" for task, node in tasks))


def update_order(spec: Spec) -> str:
    """How an update goes on, in words; the Swarm picks the tasks in no fixed order."""
    config = spec.get("UpdateConfig") or {}
    parallelism = config.get("Parallelism", 1)
    count = f"{parallelism} at a time" if parallelism else "all at once"
    order = "each new one is started before the old one is stopped"
    if config.get("Order", "stop-first") != "start-first":
        order = "each is stopped before the new one starts"
    pause = f", {config['Delay'] / _SECOND:g} s between them" if config.get("Delay") and parallelism else ""
    action = config.get("FailureAction", "pause")
    then = {"pause": "the update pauses", "continue": "the update goes on", "rollback": "the update is rolled back"}
    return f"{count}{pause}, in no fixed order; {order}; when one fails, {then.get(action, action)}"


def at_risk(
    name: str, spec: Spec, found: Spec, differing: Mapping[Path, Difference], can_move: Sequence[str]
) -> Iterator[str]:
    """What data an update may part from the tasks.

    `can_move` are the nodes that can take them.

    `spec` and `found` are the service's specs, the latter as it is.
    """
    before, after = (_volumes(one) for one in (found, spec))
    for target, source in before.items():
        if target not in after or after[target] != source:
            what = f"the volume {source}" if source else "a volume without a name"
            yield f"{name}: {what} is no longer mounted at {target}; its data stays on the nodes, unused"
    replaced = any(map(restarts, differing))
    for target, source in after.items():
        if not source and may_end_tasks(spec, differing):
            yield f"{name}: what tasks wrote to {target} is in volumes without a name: new tasks begin with empty ones"
        elif source and replaced and len(can_move) > 1 and _is_local(spec, target) and "Replicated" in spec["Mode"]:
            where = ", ".join(can_move)
            yield f"{name}: each of {where} has a volume {source} of its own, and a new task may start on another one"


def _volumes(spec: Spec) -> dict[str, str]:
    return {one["Target"]: one.get("Source") or "" for one in _mounts(spec) if one.get("Type") == "volume"}


def _mounts(spec: Spec) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = spec["TaskTemplate"]["ContainerSpec"].get("Mounts") or []
    return found


def _is_local(spec: Spec, target: str) -> bool:
    """Whether each node has a volume of its own at a path."""
    one = next(mount for mount in _mounts(spec) if mount["Target"] == target)
    driver = (one.get("VolumeOptions") or {}).get("DriverConfig") or {}
    return driver.get("Name", "local") in ("", "local") and not (driver.get("Options") or {}).get("device")
