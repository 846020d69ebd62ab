"""Swarm services: created, updated in place, and waited for until their tasks run."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

from clusterlab.errors import ClusterlabError, HostError
from clusterlab.model.playbook import Service
from clusterlab.model.short_syntax import parse_mount
from clusterlab.remote import Host

from .base import LABEL_PLAY, LABEL_SPEC, Change, Difference, Key
from .compare import differences, environment_differences, same, told, variables
from .engine_calls import engine, shell
from .images import coming_id, image_hosts, tag_on
from .labels import not_ours, own_labels
from .observed import Json, Observed, labels_of
from .removal import remove_service, service_removal, wait_for_tasks_to_end
from .scope import Scope
from .service_body import WantedService, wanted_service

CONVERGE = 120.0
"""Seconds that a service gets until all its tasks run."""
_tick = threading.Event()  # never set: waits a moment between two questions
_SPEC = {
    "Command": "entrypoint", "Args": "command", "User": "user", "Hostname": "hostname", "ReadOnly": "read_only",
    "Mounts": "volumes",
}  # fmt: skip
"""The API's names in a ContainerSpec, and the play's."""


def service_changes(scope: Scope, pending: Mapping[Key, Change]) -> list[Change]:
    """What brings the plays' services to their wanted state, and removes those that the plays no longer have."""
    at = scope.observed.get(scope.manager)
    if at is None:
        return []
    changes: list[Change] = []
    wanted: set[str] = set()
    for play, one in scope.lab.plays.items():
        for name, service in one.services.items():
            wanted.add(name)
            if scope.answers(Key(at.name, "service", name)):
                changes += _brought(scope, at, play, name, service, pending)
    everywhere = list(scope.observed.values())
    for name in scope.left_from_these_plays(at, at.services):
        if name not in wanted:
            changes.append(service_removal(at, everywhere, name, "the play no longer has it"))
    return changes


def service_differences(wanted: WantedService, found: Json, image_id: str, at: Observed) -> list[Difference]:
    """Every option that the manager reports otherwise than wanted."""
    spec = found["Spec"]
    template = spec["TaskTemplate"]
    container = template["ContainerSpec"]
    names = {network["Id"]: name for name, network in at.networks.items()}
    networks = {names.get(one["Target"], one["Target"]): one for one in template.get("Networks") or []}
    listed = [
        *differences(
            "",
            {name: wanted.container.get(key) for key, name in _SPEC.items()},
            {name: container.get(key) for key, name in _SPEC.items()},
        ),
        *environment_differences(wanted.environment, variables(container.get("Env"))),
        *differences(
            "networks",
            {name: ["connected", *sorted(one.aliases)] for name, one in wanted.networks.items()},
            {name: ["connected", *sorted(one.get("Aliases") or [])] for name, one in networks.items()},
        ),
        *differences(
            "",
            {"constraints": wanted.constraints, "mode": _mode(wanted.mode), "replicas": _replicas(wanted.mode)},
            {
                "constraints": (template.get("Placement") or {}).get("Constraints"),
                "mode": _mode(spec["Mode"]),
                "replicas": _replicas(spec["Mode"]),
            },
        ),
        *differences(
            "", {"ports": _ports(wanted.ports)}, {"ports": _ports((spec.get("EndpointSpec") or {}).get("Ports") or [])}
        ),
        *differences("labels", own_labels(wanted.labels), own_labels(labels_of(found))),
        *differences("", {"play": wanted.labels[LABEL_PLAY]}, {"play": labels_of(found).get(LABEL_PLAY)}),
    ]
    if image_id and container["Image"] != image_id:
        listed.append(Difference("image", image_id, container["Image"]))
    there = labels_of(found).get(LABEL_SPEC)
    if not listed and there != wanted.labels[LABEL_SPEC]:
        listed.append(Difference("spec", wanted.labels[LABEL_SPEC], there))
    return listed


def _mode(mode: Mapping[str, Any]) -> str:
    return ", ".join(key.lower() for key in mode)


def _replicas(mode: Mapping[str, Any]) -> int | None:
    found = (mode.get("Replicated") or {}).get("Replicas")
    return None if found is None else int(found)


def _ports(ports: list[dict[str, Any]]) -> list[str]:
    return sorted(f"{one.get('PublishedPort', '')}:{one['TargetPort']}/{one.get('Protocol', 'tcp')}" for one in ports)


def _brought(
    scope: Scope, at: Observed, play: str, name: str, service: Service, pending: Mapping[Key, Change]
) -> list[Change]:
    wanted = wanted_service(scope.lab.name, play, name, service, tag_on(scope, service.image))
    image_id = coming_id(scope, at, service.image, pending)
    key, needs = Key(at.name, "service", name), _needs(scope, at, service)
    found = at.services.get(name)
    command = shell(wanted.command(image_id))
    if found is None:
        return [Change(key, "create", "it is not there", command, lambda: _create(at, wanted), needs=needs)]
    if not at.owns(found):
        blocked = not_ours("service", name, labels_of(found), f"docker service rm {name}")
        reason = "another one of that name is there"
        return [Change(key, "create", reason, command, lambda: _create(at, wanted), needs=needs, blocked=blocked)]
    differing = tuple(service_differences(wanted, found, image_id, at))
    around = [
        f"its {need.kind} {need.name} is made anew"
        for need in sorted(needs & pending.keys())
        if need.kind in ("network", "volume") and pending[need].action == "replace" and not pending[need].blocked
    ]
    if around or any(one.name == "mode" for one in differing):
        reason = "; ".join([*dict.fromkeys(around), *([told(differing)] if differing else [])])
        hosts = [one.host for one in scope.observed.values()]

        def replace() -> None:
            remove_service(at.host, name)
            wait_for_tasks_to_end(hosts, name)
            _create(at, wanted)

        words = shell(["docker", "service", "rm", name], wanted.command(image_id))
        return [Change(key, "replace", reason, words, replace, differing, needs)]
    if differing:
        return [
            Change(
                key,
                "update",
                told(differing),
                _update_command(wanted, image_id),
                lambda: _update(at, wanted),
                differing,
                needs,
            )
        ]
    status = found.get("ServiceStatus") or {}
    running, desired = status.get("RunningTasks", 0), status.get("DesiredTasks", 0)
    if running < desired:
        reason = f"{running} of its {desired} tasks run"
        words = shell(["docker", "service", "ps", "--no-trunc", name])
        return [Change(key, "wait", reason, words, lambda: _converge(at.host, name), needs=needs)]
    return []


def _needs(scope: Scope, at: Observed, service: Service) -> frozenset[Key]:
    hosts = image_hosts(scope.lab)[service.image]
    volumes = [one.source for one in map(parse_mount, service.volumes) if one.type == "volume"]
    return frozenset(
        {Key(host, "image", service.image) for host in hosts}
        | {Key(host, "volume", name) for host in hosts for name in volumes}
        | {Key(at.name, "network", name) for name in service.networks}
        | {Key(at.name, "swarm", "membership")}
    )


def _image_id(at: Observed, wanted: WantedService) -> str:
    with engine(at.host, f"find the image of service {wanted.name}") as api:
        return str(api.inspect_image(wanted.image)["Id"])


def _create(at: Observed, wanted: WantedService) -> None:
    template = wanted.template(_image_id(at, wanted))
    with engine(at.host, f"create service {wanted.name}") as api:
        api.create_service(
            template,
            name=wanted.name,
            labels=wanted.labels,
            mode=wanted.mode,
            endpoint_spec={"Ports": wanted.ports} if wanted.ports else None,
        )
    _converge(at.host, wanted.name)


def _update(at: Observed, wanted: WantedService) -> None:
    template = wanted.template(_image_id(at, wanted))
    with engine(at.host, f"update service {wanted.name}") as api:
        version = api.inspect_service(wanted.name)["Version"]["Index"]
        api.update_service(
            wanted.name,
            version,
            task_template=template,
            name=wanted.name,
            labels=wanted.labels,
            mode=wanted.mode,
            endpoint_spec={"Ports": wanted.ports},
        )
    _converge(at.host, wanted.name)


def _update_command(wanted: WantedService, image_id: str) -> str:
    """Nothing short changes every option of a service, so by hand it is made anew."""
    return shell(["docker", "service", "rm", wanted.name], wanted.command(image_id))


def _converge(host: Host, name: str) -> None:
    """Wait until every task of a service runs; raises HostError with the last task's error after CONVERGE seconds."""
    deadline = time.monotonic() + CONVERGE
    settled = 0  # times in a row: an update that was just accepted has not begun yet
    with engine(host, f"wait for service {name}") as api:
        while True:
            service = api.services(filters={"name": name}, status=True)
            found = next((one for one in service if one["Spec"]["Name"] == name), None)
            if found is None:
                raise HostError(host.name, f"service {name} was removed while it was waited for")
            tasks = api.tasks(filters={"service": name})
            settled = settled + 1 if _runs(found) and _up_to_date(found, tasks) else 0
            if settled == 2:
                return
            state = (found.get("UpdateStatus") or {}).get("State", "")
            if time.monotonic() > deadline or state in ("paused", "rollback_completed"):
                raise _not_converged(host, api, name, found)
            _tick.wait(0.3)


def _runs(service: Json) -> bool:
    status = service.get("ServiceStatus") or {}
    updating = (service.get("UpdateStatus") or {}).get("State") == "updating"
    desired, running = status.get("DesiredTasks", 0), status.get("RunningTasks", 0)
    wanted = _replicas(service["Spec"]["Mode"])
    settled = desired == wanted if wanted is not None else desired > 0
    return settled and running == desired and not updating


def _up_to_date(service: Json, tasks: list[Json]) -> bool:
    """Whether the tasks that are to run are of the service's present state, and the others have ended."""
    wanted = service["Spec"]["TaskTemplate"]["ContainerSpec"]
    for task in tasks:
        state = task["Status"]["State"]
        if task["DesiredState"] == "running":
            has = task["Spec"]["ContainerSpec"]
            if any(not same(wanted.get(key), has.get(key)) for key in ("Image", "Env", *_SPEC)):
                return False
        elif state in ("starting", "running"):
            return False
    return True


def _not_converged(host: Host, api: Any, name: str, service: Json) -> ClusterlabError:
    tasks = sorted(api.tasks(filters={"service": name}), key=lambda task: str(task.get("CreatedAt")))
    errors = [str(task["Status"]["Err"]) for task in tasks if task.get("Status", {}).get("Err")]
    status = service.get("ServiceStatus") or {}
    counted = f"{status.get('RunningTasks', 0)} of {status.get('DesiredTasks', 0)} tasks run"
    last = f": {errors[-1]}" if errors else ""
    return HostError(
        host.name,
        f"service {name}: {counted} after {CONVERGE:.0f} s at most{last}",
        remedy=f"`docker service ps --no-trunc {name}` on {host.name} tells what each task did.",
        detail="\n".join(f"{task['Status']['State']}: {task['Status'].get('Err', '')}" for task in tasks[-10:]),
    )
