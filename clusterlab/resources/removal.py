"""Removing Docker objects that are ours.

What goes, in which way, and what keeps it back.
"""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import docker

from clusterlab.docker_labels import SERVICE
from clusterlab.errors import HostError
from clusterlab.remote import Host
from clusterlab.waiting import wait_until

from .base import SWARM, Key
from .engine_calls import engine
from .labels import is_ours
from .observed import Json, Observed, is_task, service_of
from .scope import Scope, SwarmView, UnseenTask

_ANONYMOUS = re.compile(r"^[0-9a-f]{64}$")
_SERVER_DOWN = "a mount of its NFS server that does not answer is the usual cause"
_WAIT = 180.0  # seconds for what the engine and the Swarm do after they have said yes; emulated machines are slow


def holds_data(volume: Json) -> bool:
    """Whether removing a volume removes data.

    A local volume with a device mounts what is elsewhere (an NFS export, a folder, a disk) or what is gone
    with the last container (tmpfs). All others keep their data themselves; other drivers are assumed to.
    """
    return volume.get("Driver") != "local" or not (volume.get("Options") or {}).get("device")


def remote_data(volume: Json) -> str:
    """Where the data of a volume is that holds none itself, for people."""
    options = volume.get("Options") or {}
    if options.get("type") == "tmpfs":
        return "tmpfs holds nothing beyond its last container"
    return f"its data is at {options.get('device', '')} and stays there"


def anonymous_volumes(container: Json) -> dict[str, str]:
    """Volumes without a name of a listed container, by the path in it.

    They go with the container.
    """
    return {
        mount["Destination"]: mount["Name"]
        for mount in container.get("Mounts") or []
        if mount.get("Type") == "volume" and _ANONYMOUS.match(mount.get("Name") or "")
    }


def loses_anonymous(name: str, container: Json) -> str:
    """Why removing a container would lose data, or nothing."""
    paths = sorted(anonymous_volumes(container))
    if not paths:
        return ""
    return f"container {name} keeps data in {', '.join(paths)} in an anonymous volume, which would be lost with it"


def wait_for(condition: Callable[[], bool], what: str, host: str, seconds: float = _WAIT) -> None:
    """Wait for the engine of `host`, or its Swarm, to end what it has begun.

    Raises DeadlineExceeded.
    """
    remedy = f"See `journalctl -u docker` on {host}, then run the same command again."
    wait_until(condition, what, seconds, subject=host, remedy=remedy)


def remove_container(host: Host, name: str, id_: str = "") -> None:
    """Stop a container with its own grace period, and remove it.

    With its anonymous volumes; fine when it is gone.

    Give the id of one that was found earlier: its name may be another container's by now.
    """
    container = id_ or name
    with engine(host, f"remove container {name}", hangs=_SERVER_DOWN) as api:
        try:
            api.stop(container)
            api.remove_container(container, force=True, v=True)
        except docker.errors.NotFound:
            return
        except docker.errors.APIError as error:
            if "already in progress" not in str(error.explanation):
                raise
        wait_for(
            lambda: not _exists(lambda: api.inspect_container(container)), f"container {name} to be removed", host.name
        )


def remove_volume(host: Host, lab: str, name: str) -> None:
    """Remove a volume; fine when it is gone.

    Raises HostError when it is not, or no longer, the lab's.
    """
    remedy = (
        f"Start the NFS server and run the same command again; or, on {host.name}, "
        f"`umount -f -l` what `findmnt` shows for the volume, and restart Docker."
    )
    with engine(host, f"remove volume {name}", hangs=_SERVER_DOWN, remedy=remedy) as api:
        try:
            found = api.inspect_volume(name)
        except docker.errors.NotFound:
            return
        if not is_ours(lab, found.get("Labels")):  # volumes have no ids
            raise HostError(host.name, f"volume {name} is not, or no longer, of the lab {lab}: it is not removed")
        api.remove_volume(name)


def remove_network(host: Host, name: str, network_id: str, everywhere: list[Host]) -> None:
    """Remove a network, and wait until none of the hosts `everywhere` has it.

    The Swarm may need a moment to notice that nothing uses it, and its members then keep it for another: a new one of
    that name must not be taken for it.
    """

    def gone() -> bool:
        try:
            api.remove_network(network_id)
        except docker.errors.NotFound:
            return True
        except docker.errors.APIError as error:
            said = str(error.explanation)
            if time.monotonic() < deadline and ("in use" in said or "active endpoints" in said):
                return False
            user = _counted_user(api, said)
            raise docker.errors.APIError(str(error), error.response, f"{said}\n{user}") from error
        return True

    deadline = time.monotonic() + _WAIT * 0.9
    with engine(host, f"remove network {name}") as api:
        wait_for(gone, f"network {name} to be removed", host.name)
    for one in everywhere:
        with engine(one, "list the networks") as api:
            wait_for(
                lambda api=api: all(found["Id"] != network_id for found in api.networks()),  # type: ignore[misc]
                f"network {name} to be removed",
                one.name,
            )


def _counted_user(api: Any, said: str) -> str:
    """The task that the Swarm counts on a network, in words.

    Nothing when it is gone or the engine named none.
    """
    named = re.search(r"in use by task (\w+)", said)
    if named is None:
        return ""
    try:
        task: Json = api.inspect_task(named[1])
    except docker.errors.APIError as error:
        return f"task {named[1]} cannot be inspected: {error.explanation}"
    status, spec = task.get("Status") or {}, task.get("Spec") or {}
    attached = (spec.get("NetworkAttachmentSpec") or {}).get("ContainerID", "")
    what = f"container {attached[:12]}" if attached else f"service {task.get('ServiceID', '')}"
    message = status.get("Err") or status.get("Message") or "no message"
    return (
        f"task {named[1]}: of {what} on node {task.get('NodeID', 'none')}, is {status.get('State')} since "
        f"{status.get('Timestamp')} ({message}), should be {task.get('DesiredState')}"
    )


def remove_service(host: Host, name: str, id_: str) -> None:
    """Remove a Swarm service by its id; fine when it is gone.

    Its tasks end later: see `wait_for_tasks_to_end`.
    """
    with engine(host, f"remove service {name}") as api:
        try:
            api.remove_service(id_)
        except docker.errors.NotFound:
            return


def wait_for_tasks_to_end(hosts: list[Host], service: str) -> None:
    """Wait until no container of a removed service remains on `hosts`."""
    for host in hosts:
        with engine(host, f"wait for the tasks of service {service} to end") as api:
            wait_for(
                lambda api=api: (
                    not api.containers(  # type: ignore[misc]
                        all=True, filters={"label": f"{SERVICE}={service}"}
                    )
                ),
                f"the tasks of service {service} to end",
                host.name,
            )


@dataclass(frozen=True)
class TaskWait:
    """Wait on one host until the tasks of a removed service have ended.

    As a person types it.
    """

    service: str

    @property
    def command(self) -> str:
        tasks = shlex.quote(f"label={SERVICE}={self.service}")
        return f'until [ -z "$(docker ps --all --quiet --filter {tasks})" ]; do sleep 1; done'


def users_of(at: Observed, containers: Mapping[str, Json]) -> frozenset[Key]:
    """The resources that use something through listed containers of a host.

    Containers, and the services of tasks.
    """
    services = {Key(SWARM, "service", service_of(one)) for one in containers.values() if is_task(one)}
    return frozenset(
        services | {Key(at.name, "container", name) for name, one in containers.items() if not is_task(one)}
    )


def takers(scope: Scope, key: Key) -> frozenset[Key]:
    """The changes that come before and take a resource away."""
    return frozenset(one for one, change in scope.pending.items() if key in change.takes and not change.blocked)


def left_behind(taken: frozenset[Key], needs: frozenset[Key]) -> list[str]:
    """What is recreated of that which a resource used until now, and no longer needs, for people."""
    return [f"the {one.kind} {one.name} that it used is recreated" for one in sorted(taken - needs)]


def is_taken(scope: Scope, key: Key) -> bool:
    """Whether a change that comes before takes a resource away."""
    return bool(takers(scope, key))


def removed_before(scope: Scope, at: Observed, containers: Mapping[str, Json]) -> frozenset[Key]:
    """What is removed before something that listed containers of a host use.

    These, and the services of tasks.
    """
    services = {service_of(one) for one in containers.values() if is_task(one)}
    keys = {Key(swarm, "service", service) for swarm in scope.swarms for service in services}
    return frozenset(keys | {Key(at.name, "container", name) for name in containers})


def service_losses(scope: Scope, service: str) -> str:
    """Why removing or replacing a service's tasks would or may lose data, or nothing.

    It may lose data that nobody can see.
    """
    losses = sorted(
        f"{', '.join(paths)} on {at.name}"
        for at in scope.everywhere
        for one in at.containers.values()
        if service_of(one) == service and (paths := sorted(anonymous_volumes(one)))
    )
    unseen = sorted({task.node for view in scope.swarms.values() for task in _doubtful_tasks(scope, view, service)})
    reasons = []
    if losses:
        reasons.append(
            f"tasks of service {service} keep data in anonymous volumes, which would be lost: {'; '.join(losses)}"
        )
    if unseen:
        reasons.append(
            f"tasks of service {service} on {', '.join(unseen)} could not be inspected: data that they may keep in "
            "anonymous volumes would be lost"
        )
    return "; ".join(reasons)


def _doubtful_tasks(scope: Scope, view: SwarmView, service: str) -> Iterator[UnseenTask]:
    """Tasks on nodes that could not be inspected.

    Without those known by tasks of the same image and mounts to have no volumes.

    Whether a task has anonymous volumes follows from its mounts and from the image, which may declare some.
    """
    spec = view.services[service]["Spec"]["TaskTemplate"]["ContainerSpec"] if service in view.services else {}
    running = [
        one
        for at in scope.everywhere
        for one in at.containers.values()
        if service_of(one) == service and one.get("State") == "running"
    ]
    shown = bool(running) and not any(map(anonymous_volumes, running))
    for task in view.unseen:
        same = all(task.spec.get(key) == spec.get(key) for key in ("Image", "Mounts"))
        if task.service == service and not (shown and same):
            yield task


def foreign_users(at: Observed, containers: dict[str, Json]) -> str:
    """Which of `containers` are not this lab's, for people."""
    names = sorted(name for name, one in containers.items() if not at.owns(one))
    return f"container {', '.join(names)} on {at.name}" if names else ""


def _exists(inspect: Callable[[], object]) -> bool:
    try:
        inspect()
    except docker.errors.NotFound:
        return False
    return True
