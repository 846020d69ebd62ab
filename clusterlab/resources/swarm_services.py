"""Swarm services: created, updated in place, and waited for until their tasks run."""

from __future__ import annotations

import copy
import shlex
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from clusterlab.build.image_archive import ImageArchive
from clusterlab.errors import ClusterlabError, HostError
from clusterlab.model.lab import Lab
from clusterlab.model.needs import why_service_cannot_run
from clusterlab.model.playbook import Service
from clusterlab.model.short_syntax import parse_mount
from clusterlab.remote import Host

from .base import LABEL_PLAY, LABEL_SPEC, SWARM, Change, Difference, Key, Skipped
from .compare import describe, differences, environment_differences, same, variables
from .engine_calls import engine, shell
from .images import coming_id
from .kind import ResourceKind, skipped
from .labels import is_of_play, not_ours, own_labels, play_of
from .observed import Json, Observed, labels_of
from .ownership import with_owner
from .removal import is_taken, remove_service, service_losses, wait_for_tasks_to_end
from .scope import MANAGERS, Scope, Wants, network_key
from .service_body import WantedService, update_command, wanted_service
from .wanted_images import image_hosts

CONVERGE = 300.0
"""Seconds that a service gets until all its tasks run; an emulated machine may start dozens of containers meanwhile."""
_tick = threading.Event()  # never set: waits a moment between two questions
_FAILED = {
    "paused": "its update has paused",
    "rollback_paused": "its update was rolled back, and that has paused",
    "rollback_completed": "its update was rolled back",
}
_SPEC = {
    "Command": "entrypoint", "Args": "command", "User": "user", "Hostname": "hostname", "ReadOnly": "read_only",
    "Mounts": "volumes",
}  # fmt: skip
"""The API's names in a ContainerSpec, and the play's."""
_KEEPS_TASKS = ("labels", "play", "spec", "replicas")
"""What can differ without a running task being replaced; fewer replicas end tasks all the same."""


@dataclass(frozen=True)
class PlannedService:
    """A service as it should be, the inventory's name of its image, and what must exist before it."""

    body: WantedService
    image: str
    image_id: str = field(default="", compare=False)  # as engines know it that do not keep images in containerd
    needs: frozenset[Key] = field(default=frozenset(), compare=False)


@dataclass(frozen=True)
class FoundService:
    """A service as the manager lists it, and the names of the networks by their ids."""

    listed: Json
    networks: Mapping[str, str] = field(default_factory=dict)


class ServiceKind(ResourceKind[PlannedService, FoundService]):
    """Services of the Swarm."""

    name = "service"
    listings = frozenset({"containers", "images", "networks"})

    def wanted(self, wants: Wants) -> Mapping[Key, PlannedService]:
        lab = wants.lab
        return {
            Key(SWARM, self.name, name): PlannedService(
                wanted_service(lab.name, title, name, service, wants.tag(service.image)),
                service.image,
                archive.config_id if (archive := _archive(wants, service.image)) else "",
                _needs(lab, service),
            )
            for title, play in wants.plays()
            for name, service in play.services.items()
        }

    def left_out(self, wants: Wants) -> Iterator[Skipped]:
        for _, play in wants.plays():
            for name in play.services:
                need = why_service_cannot_run(wants.lab, play, name, wants.capabilities)
                yield from skipped(Key(SWARM, self.name, name), need, wants)

    def manual(self, wanted: PlannedService) -> str:
        return shell(wanted.body.command(wanted.image_id))

    def observe(self, scope: Scope) -> Mapping[Key, FoundService]:
        return {
            Key(swarm, self.name, name): FoundService(
                one, {network["Id"]: name for name, network in view.at.networks.items()}
            )
            for swarm, view in scope.swarms.items()
            for name, one in view.services.items()
        }

    def differences(self, wanted: PlannedService, found: FoundService) -> Sequence[Difference]:
        """Every option that the manager reports otherwise than wanted, but for the image."""
        return service_differences(wanted.body, found, "")

    def change(
        self, wants: Wants, scope: Scope, key: Key, wanted: PlannedService, found: FoundService | None
    ) -> Change | None:
        at, body = scope.at(key), wanted.body
        image_id = coming_id(wants, scope, at, wanted.image)
        if found is None or not self.owns(scope.name, found):
            return Change(
                key=key,
                action="create",
                reason="there is another one of that name" if found else "it does not exist",
                command=shell(body.command(image_id)),
                carry_out=partial(_create, at, body),
                needs=wanted.needs,
                blocked=not_ours(self.name, body.name, labels_of(found.listed), f"docker service rm {body.name}")
                if found
                else "",
                where=at.name,
            )
        differing = tuple(service_differences(body, found, image_id))
        needed = [scope.pending[need] for need in sorted(wanted.needs & scope.pending.keys())]
        around = [
            f"its {one.key.kind} {one.key.name} is recreated"
            for one in needed
            if one.key.kind in ("network", "volume") and one.action == "replace" and not one.blocked
        ]
        if around or any(one.name == "mode" for one in differing):
            reason = "; ".join([*dict.fromkeys(around), *([describe(differing)] if differing else [])])
            taken = is_taken(scope, key)
            return _replacement(scope, key, wanted, found, image_id, reason, differing, taken)
        if differing:
            return _update_change(scope, key, wanted, found, image_id, differing)
        return _wait(at, key, wanted, found.listed)

    def owns(self, lab: str, found: FoundService) -> bool:
        return is_of_play(lab, labels_of(found.listed))

    def play(self, found: FoundService) -> str | None:
        return play_of(labels_of(found.listed))

    def labels(self, found: FoundService) -> Mapping[str, str]:
        return labels_of(found.listed)

    def remove(self, scope: Scope, key: Key, found: FoundService, reason: str) -> Change:
        """Remove a service, and wait until its tasks have ended."""
        at, hosts = scope.at(key), scope.hosts
        loses = service_losses(scope, key.name) if scope.data_flag else ""

        def carry_out() -> None:
            remove_service(at.host, key.name, found.listed["ID"])
            wait_for_tasks_to_end(hosts, key.name)

        return Change(
            key=key,
            action="remove",
            reason=reason,
            command=shell(["docker", "service", "rm", key.name]),
            carry_out=carry_out,
            needs=frozenset({MANAGERS}),
            blocked=loses,
            flag=scope.data_flag if loses else "",
            where=at.name,
        )


def service_differences(wanted: WantedService, found: FoundService, image_id: str) -> list[Difference]:
    """Every option that the manager reports otherwise than wanted; the image's id may be empty, as unknown."""
    spec = found.listed["Spec"]
    template = spec["TaskTemplate"]
    container = template["ContainerSpec"]
    networks = {found.networks.get(one["Target"], one["Target"]): one for one in template.get("Networks") or []}
    labels = labels_of(found.listed)
    listed = [
        *differences("", _options(wanted.container), _options(container)),
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
        *differences("labels", own_labels(wanted.labels), own_labels(labels)),
        *differences("", {"play": wanted.labels[LABEL_PLAY]}, {"play": labels.get(LABEL_PLAY)}),
    ]
    if image_id and container["Image"] != image_id:
        listed.append(Difference("image", image_id, container["Image"]))
    if not listed and labels.get(LABEL_SPEC) != wanted.labels[LABEL_SPEC]:
        listed.append(Difference("spec", wanted.labels[LABEL_SPEC], labels.get(LABEL_SPEC)))
    return listed


def _options(container: Mapping[str, Any]) -> dict[str, Any]:
    """What a ContainerSpec says under the play's names, without orders that mean nothing."""
    options = {name: container.get(key) for key, name in _SPEC.items()}
    options["volumes"] = sorted(container.get("Mounts") or [], key=lambda mount: str(mount.get("Target")))
    return options


def _mode(mode: Mapping[str, Any]) -> str:
    return ", ".join(key.lower() for key in mode)


def _replicas(mode: Mapping[str, Any]) -> int | None:
    found = (mode.get("Replicated") or {}).get("Replicas")
    return None if found is None else int(found)


def _ports(ports: list[dict[str, Any]]) -> list[str]:
    return sorted(f"{one.get('PublishedPort', '')}:{one['TargetPort']}/{one.get('Protocol', 'tcp')}" for one in ports)


def _update_change(
    scope: Scope,
    key: Key,
    wanted: PlannedService,
    found: FoundService,
    image_id: str,
    differing: tuple[Difference, ...],
) -> Change:
    at, body = scope.at(key), wanted.body
    fewer = (_replicas(found.listed["Spec"]["Mode"]) or 0) > (_replicas(body.mode) or 0)
    ends_tasks = fewer or any(one.name.partition(".")[0] not in _KEEPS_TASKS for one in differing)
    loses = service_losses(scope, key.name) if scope.data_flag and ends_tasks else ""
    return Change(
        key=key,
        action="update",
        reason=describe(differing),
        command=shlex.join(update_command(body, found.listed["Spec"], found.networks, image_id)),
        carry_out=partial(_update, at, body, found.listed["ID"]),
        differences=differing,
        needs=wanted.needs,
        blocked=loses,
        flag=scope.data_flag if loses else "",
        where=at.name,
    )


def _replacement(
    scope: Scope,
    key: Key,
    wanted: PlannedService,
    found: FoundService,
    image_id: str,
    reason: str,
    differing: tuple[Difference, ...],
    taken: bool,
) -> Change:
    """`taken`: the change of something that it uses removes it already."""
    at, body, hosts = scope.at(key), wanted.body, scope.hosts
    loses = service_losses(scope, key.name) if scope.data_flag else ""

    def carry_out() -> None:
        remove_service(at.host, body.name, found.listed["ID"])
        wait_for_tasks_to_end(hosts, body.name)
        _create(at, body)

    remove = [] if taken else [["docker", "service", "rm", body.name]]
    return Change(
        key=key,
        action="replace",
        reason=reason,
        command=shell(*remove, body.command(image_id)),
        carry_out=carry_out,
        differences=differing,
        needs=wanted.needs,
        blocked=loses,
        flag=scope.data_flag if loses else "",
        where=at.name,
    )


def _wait(at: Observed, key: Key, wanted: PlannedService, found: Json) -> Change | None:
    status = found.get("ServiceStatus") or {}
    running, desired = status.get("RunningTasks", 0), status.get("DesiredTasks", 0)
    if running >= desired:
        return None
    return Change(
        key=key,
        action="wait",
        reason=f"{running} of its {desired} tasks run",
        command=shell(["docker", "service", "ps", "--no-trunc", key.name]),
        carry_out=partial(converge_service, at.host, key.name, updated=False),
        needs=wanted.needs,
        where=at.name,
    )


def _archive(wants: Wants, image: str) -> ImageArchive | None:
    return wants.images[image].archive if image in wants.images else None


def _needs(lab: Lab, service: Service) -> frozenset[Key]:
    hosts = image_hosts(lab)[service.image]
    volumes = [one.source for one in map(parse_mount, service.volumes) if one.type == "volume"]
    return frozenset(
        {Key(host, "image", service.image) for host in hosts}
        | {Key(host, "volume", name) for host in hosts for name in volumes}
        | {network_key(lab, SWARM, name) for name in service.networks}
        | {MANAGERS}
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
            labels=with_owner(wanted.labels),
            mode=wanted.mode,
            endpoint_spec={"Ports": wanted.ports} if wanted.ports else None,
        )
    converge_service(at.host, wanted.name)


def _update(at: Observed, wanted: WantedService, service: str) -> None:
    """Set what plays have in the spec of the service with that id; what else it has was set by others, and stays.

    Raises HostError when it is no longer the lab's.
    """
    template = wanted.template(_image_id(at, wanted))
    with engine(at.host, f"update service {wanted.name}") as api:
        found = api.inspect_service(service)
        if not at.owns(found):
            raise HostError(at.name, f"service {wanted.name} is no longer of the lab {at.lab}: it is not updated")
        spec = copy.deepcopy(found["Spec"])
        task = spec["TaskTemplate"]
        container = {key: value for key, value in task["ContainerSpec"].items() if key not in (*_SPEC, "Env")}
        task["ContainerSpec"] = {**container, **template["ContainerSpec"]}
        task["Networks"] = template.get("Networks", [])
        task["Placement"] = {**task.get("Placement", {}), "Constraints": wanted.constraints}
        api.update_service(
            service,
            version=found["Version"]["Index"],
            task_template=task,
            name=wanted.name,
            labels=with_owner(wanted.labels, spec.get("Labels")),
            mode=wanted.mode,
            update_config=spec.get("UpdateConfig"),
            rollback_config=spec.get("RollbackConfig"),
            endpoint_spec={**spec.get("EndpointSpec", {}), "Ports": wanted.ports},
        )
    converge_service(at.host, wanted.name)


def converge_service(host: Host, name: str, seconds: float = CONVERGE, *, updated: bool = True) -> None:
    """Wait until every task of a service runs; raises HostError with the last task's error when they do not in time.

    An update that pauses or is rolled back raises at once, unless it was an earlier one: then it is not `updated`.
    """
    deadline = time.monotonic() + seconds
    settled = 0  # times in a row: an update that was just accepted has not begun yet
    with engine(host, f"wait for service {name}") as api:
        while True:
            service = api.services(filters={"name": name}, status=True)
            found = next((one for one in service if one["Spec"]["Name"] == name), None)
            if found is None:
                raise HostError(host.name, f"service {name} was removed while clusterlab waited for it")
            tasks = api.tasks(filters={"service": name})
            state = (found.get("UpdateStatus") or {}).get("State", "") if updated else ""
            going_back = state.startswith("rollback_")
            settled = settled + 1 if not going_back and _runs(found) and _up_to_date(found, tasks) else 0
            if settled == 2:
                return
            if time.monotonic() > deadline or state in _FAILED:
                raise _not_converged(host, api, name, found, seconds)
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


def _not_converged(host: Host, api: Any, name: str, service: Json, seconds: float) -> ClusterlabError:
    tasks = sorted(api.tasks(filters={"service": name}), key=lambda task: str(task.get("CreatedAt")))
    errors = [str(task["Status"]["Err"]) for task in tasks if task.get("Status", {}).get("Err")]
    status = service.get("ServiceStatus") or {}
    counted = f"{status.get('RunningTasks', 0)} of {status.get('DesiredTasks', 0)} tasks run"
    last = f": {errors[-1]}" if errors else ""
    state = (service.get("UpdateStatus") or {}).get("State", "")
    ended = _FAILED.get(state, "")
    return HostError(
        host.name,
        f"service {name}: {ended or f'{counted} after {seconds:.0f} s at most'}{last}",
        remedy=f"`docker service ps --no-trunc {name}` on {host.name} shows what each task did.",
        detail="\n".join(f"{task['Status']['State']}: {task['Status'].get('Err', '')}" for task in tasks[-10:]),
    )


SERVICE = ServiceKind()
