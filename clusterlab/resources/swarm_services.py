"""Swarm services: created, updated in place, replaced and removed."""

from __future__ import annotations

import copy
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from clusterlab.build.image_archive import ImageArchive
from clusterlab.errors import HostError
from clusterlab.model.lab import Lab
from clusterlab.model.long_forms import reference
from clusterlab.model.needs import why_service_cannot_run
from clusterlab.model.playbook import Service
from clusterlab.model.short_syntax import parse_mount

from . import service_files
from .base import SWARM, Change, Difference, Key, Skipped
from .compare import describe
from .engine_calls import engine, shell
from .images import coming_id
from .kind import ResourceKind, skipped
from .labels import is_of_play, not_ours, play_of
from .observed import Json, Observed, labels_of
from .ownership import with_owner
from .removal import left_behind, remove_service, service_losses, takers, wait_for_tasks_to_end
from .report import Report
from .scope import MANAGERS, Scope, Wants, network_key
from .service_body import WantedService, update_command, wanted_service
from .service_converge import WEIGHT, converge_service
from .service_deploy import KEEPS_TASKS, put
from .service_drift import SPEC, FoundService, service_differences
from .service_modes import is_job, replicas_of
from .swarm_jobs import wait_for_job
from .wanted_images import image_hosts

_KEEPS_TASKS = ("labels", "play", "spec", "replicas", *KEEPS_TASKS)
"""What can differ without a running task being replaced; fewer replicas still end tasks."""


_AROUND = ("network", "volume", *service_files.KINDS)
"""What a service is recreated around."""


@dataclass(frozen=True)
class PlannedService:
    """A service as it should be, with its image and its dependencies.

    The image by its name in the inventory; dependencies are what must exist before it.
    """

    body: WantedService
    image: str
    image_id: str = field(default="", compare=False)  # as engines know it that do not keep images in containerd
    needs: frozenset[Key] = field(default=frozenset(), compare=False)


class ServiceKind(ResourceKind[PlannedService, FoundService]):
    """Services of the Swarm."""

    name = "service"
    listings = frozenset({"containers", "images", "networks"})
    reports = (Report("service", lambda engine, name: engine.inspect_service(name)),)  # type: ignore[no-untyped-call]

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
        """Every option that differs in the manager's report, except for the image."""
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
                reason="another one of that name exists" if found else "it does not exist",
                command=shell(body.command(image_id)),
                carry_out=partial(_create, at, body),
                needs=wanted.needs,
                weight=WEIGHT,
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
            if one.key.kind in _AROUND and one.action == "replace" and not one.blocked
        ]
        taken = takers(scope, key)
        around += left_behind(taken, wanted.needs)
        if around or any(one.name == "mode" for one in differing):
            reason = "; ".join([*dict.fromkeys(around), *([describe(differing)] if differing else [])])
            after = replace(wanted, needs=wanted.needs | taken)
            return _replacement(scope, key, after, found, image_id, reason, differing, bool(taken))
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


def _update_change(
    scope: Scope,
    key: Key,
    wanted: PlannedService,
    found: FoundService,
    image_id: str,
    differing: tuple[Difference, ...],
) -> Change:
    at, body = scope.at(key), wanted.body
    fewer = (replicas_of(found.listed["Spec"]) or 0) > (replicas_of({"Mode": body.mode}) or 0)
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
        weight=WEIGHT,
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
        weight=WEIGHT,
        blocked=loses,
        flag=scope.data_flag if loses else "",
        where=at.name,
    )


def _wait(at: Observed, key: Key, wanted: PlannedService, found: Json) -> Change | None:
    status = found.get("ServiceStatus") or {}
    running, desired = status.get("RunningTasks", 0), status.get("DesiredTasks", 0)
    if running >= desired or is_job(found["Spec"]):  # a job that failed is not a change of the play
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
        | {Key(SWARM, kind, name) for kind, name in _files(service)}
        | {MANAGERS}
    )


def _files(service: Service) -> Iterator[tuple[str, str]]:
    """The configs and secrets that a service uses, each with its kind."""
    yield from (("config", reference(one).source) for one in service.configs)
    yield from (("secret", reference(one).source) for one in service.secrets)
    if service.credential_spec and service.credential_spec.config:
        yield "config", service.credential_spec.config


def _with_ids(api: Any, at: Observed, wanted: WantedService) -> WantedService:
    """The service with the ids of the configs and secrets that it uses."""
    kinds = [kind for kind in service_files.KINDS if service_files.used(wanted.container, kind)]
    if not kinds:
        return wanted
    ids = service_files.ids_by_name(api, at.name, kinds)
    return replace(wanted, container=service_files.with_ids(wanted.container, ids))


def _image_id(at: Observed, wanted: WantedService) -> str:
    with engine(at.host, f"find the image of service {wanted.name}") as api:
        return str(api.inspect_image(wanted.image)["Id"])


def _create(at: Observed, wanted: WantedService) -> None:
    image = _image_id(at, wanted)
    with engine(at.host, f"create service {wanted.name}") as api:
        spec = _with_ids(api, at, wanted).spec(image)
        api.create_service(
            spec["TaskTemplate"],
            name=wanted.name,
            labels=with_owner(wanted.labels),
            mode=wanted.mode,
            update_config=spec.get("UpdateConfig"),
            rollback_config=spec.get("RollbackConfig"),
            endpoint_spec=spec["EndpointSpec"] or None,
        )
    _converge(at, wanted)


def _update(at: Observed, wanted: WantedService, service: str) -> None:
    """Set what plays have in the spec of the service with that id.

    What else it has was set by others, and stays; for options of `deploy` see WantedService.deployed.

    Raises HostError when it is no longer the lab's.
    """
    image = _image_id(at, wanted)
    with engine(at.host, f"update service {wanted.name}") as api:
        template = _with_ids(api, at, wanted).template(image)
        found = api.inspect_service(service)
        if not at.owns(found):
            raise HostError(at.name, f"service {wanted.name} is no longer of the lab {at.lab}: it is not updated")
        spec = copy.deepcopy(found["Spec"])
        task = spec["TaskTemplate"]
        container = {key: value for key, value in task["ContainerSpec"].items() if key not in (*SPEC, "Env")}
        privileges = service_files.privileges(container, template["ContainerSpec"])
        own = {**template["ContainerSpec"], **({} if privileges is None else {"Privileges": privileges})}
        task["ContainerSpec"] = {**container, **own}
        task["Networks"] = template.get("Networks", [])
        task["Placement"] = {**task.get("Placement", {}), "Constraints": [], "Preferences": [], **wanted.placement}
        if wanted.logging:
            task["LogDriver"] = wanted.logging
        else:
            task.pop("LogDriver", None)
        spec["EndpointSpec"] = {**spec.get("EndpointSpec", {}), "Ports": wanted.ports}
        put(wanted.deployed(spec), spec)
        api.update_service(
            service,
            version=found["Version"]["Index"],
            task_template=task,
            name=wanted.name,
            labels=with_owner(wanted.labels, spec.get("Labels")),
            mode=wanted.mode,
            update_config=spec.get("UpdateConfig"),
            rollback_config=spec.get("RollbackConfig"),
            endpoint_spec=spec["EndpointSpec"],
        )
    _converge(at, wanted)


def _converge(at: Observed, wanted: WantedService) -> None:
    wait = wait_for_job if wanted.is_job else converge_service
    wait(at.host, wanted.name)


SERVICE = ServiceKind()
