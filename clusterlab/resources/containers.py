"""Containers: created, started, changed in place where possible, else replaced.

What a container wrote outside its volumes goes with it: that is not counted as data. What it wrote into a
anonymous volume is, so such a container is replaced only when that is allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from graphlib import TopologicalSorter

from clusterlab.model.lab import Lab
from clusterlab.model.needs import container_needs, missing
from clusterlab.model.playbook import Container, Volume
from clusterlab.model.short_syntax import parse_mount
from clusterlab.remote import Host

from .addresses import shared_addresses
from .base import Change, Difference, Key, Skipped
from .compare import describe
from .container_actions import (
    connect_container,
    create_container,
    ensure_own_addresses,
    neighbours,
    set_policy,
    start_container,
    unpause,
)
from .container_body import WantedContainer, wanted_container
from .container_drift import fixed_differences, network_differences, policy_differences
from .disks import needed_disk
from .engine_calls import engine, shell
from .images import coming_id
from .kind import ResourceKind, skipped
from .labels import is_ours, not_ours, play_of
from .observed import Json, Observed, attached, is_task, labels_of, service_of
from .removal import TaskWait, is_taken, loses_anonymous, remove_container, wait_for_tasks_to_end
from .report import Report
from .scope import MANAGERS, Scope, Wants, is_swarm_wide, network_key
from .stored import FoundContainer, Stored, stored_in, stored_question

_WEIGHT = 2  # a start takes long beside the creation of a volume or network
_BROKEN = ("restarting", "dead", "removing")  # states in which a container cannot be changed in place


@dataclass(frozen=True)
class _Step:
    """A part of a change: the commands that a person types, and what does the same."""

    commands: list[list[str]]
    carry_out: Callable[[], None]


@dataclass(frozen=True)
class PlannedContainer:
    """A container as it should be, with its image and its dependencies.

    The image by its name in the inventory; dependencies are what must exist before it.
    """

    body: WantedContainer
    image: str
    needs: frozenset[Key] = field(default=frozenset(), compare=False)


class ContainerKind(ResourceKind[PlannedContainer, FoundContainer]):
    """Containers on their hosts.

    The tasks of services are the Swarm's, and only waited for.
    """

    name = "container"
    listings = frozenset({"containers", "images", "networks"})
    reports = (Report("container", lambda engine, name: engine.inspect_container(name)),)

    def wanted(self, wants: Wants) -> Mapping[Key, PlannedContainer]:
        lab = wants.lab
        return {
            Key(play.containers[name].host, self.name, name): PlannedContainer(
                wanted_container(lab.name, title, name, play.containers[name], wants.tag(play.containers[name].image)),
                play.containers[name].image,
                needs_of(lab, play.containers[name]),
            )
            for title, play in wants.plays()
            for name in _sources_first(play.containers)
        }

    def left_out(self, wants: Wants) -> Iterator[Skipped]:
        for _, play in wants.plays():
            for name, container in play.containers.items():
                need = missing(container_needs(wants.lab, play, name), wants.capabilities)
                yield from skipped(Key(container.host, self.name, name), need, wants)

    def manual(self, wanted: PlannedContainer) -> str:
        return shell(*wanted.body.commands)

    def questions(self, at: Observed, wanted: Mapping[Key, PlannedContainer] | None) -> Mapping[str, str]:
        ours = [one["Id"] for one in at.containers.values() if at.owns(one) and not is_task(one)]
        return {self.name: stored_question(str(at.info["DockerRootDir"]), ours)} if ours else {}

    def observe(self, scope: Scope) -> Mapping[Key, FoundContainer]:
        found = {}
        for at in scope.everywhere:
            stored = stored_in(at.host.name, at.answers.get(self.name, ""))
            for name, one in at.containers.items():
                found[Key(at.name, self.name, name)] = FoundContainer(one, stored.get(one["Id"], Stored()))
        return found

    def differences(self, wanted: PlannedContainer, found: FoundContainer) -> Sequence[Difference]:
        """What the engine stores otherwise.

        Its image and networks are compared with the host's, see `change`.
        """
        fixed = fixed_differences(wanted.body, found.listed, found.stored, "")
        return [*fixed, *policy_differences(wanted.body, found.stored)]

    def change(
        self, wants: Wants, scope: Scope, key: Key, wanted: PlannedContainer, found: FoundContainer | None
    ) -> Change | None:
        at, body = scope.at(key), wanted.body
        if found is None or not at.owns(found.listed) or is_task(found.listed):
            blocked = (
                not_ours(self.name, body.name, labels_of(found.listed), f"docker rm --force {body.name}")
                if found
                else ""
            )
            return Change(
                key=key,
                action="create",
                reason="another one of that name exists" if found else "it does not exist",
                command=shell(*body.commands),
                carry_out=partial(create_container, at.host, body, neighbours(scope, at)),
                needs=wanted.needs,
                weight=_WEIGHT,
                blocked=blocked,
            )
        listed = found.listed
        fixed = fixed_differences(body, listed, found.stored, coming_id(wants, scope, at, wanted.image))
        needed = [scope.pending[need] for need in sorted(wanted.needs & scope.pending.keys())]
        around = [text for change in needed if (text := _around(change))]
        broken = [f"it is {listed['State']}: {listed.get('Status', '')}"] if listed["State"] in _BROKEN else []
        if fixed or around or broken:
            reason = "; ".join([*around, *broken, *([describe(fixed)] if fixed else [])])
            taken = is_taken(scope, key)
            return _replacement(scope, key, wanted, found, reason, tuple(fixed), taken)
        return _in_place(scope, key, wanted, found)

    def owns(self, lab: str, found: FoundContainer) -> bool:
        return is_ours(lab, labels_of(found.listed))

    def play(self, found: FoundContainer) -> str | None:
        return play_of(labels_of(found.listed))

    def labels(self, found: FoundContainer) -> Mapping[str, str]:
        return labels_of(found.listed)

    def remove(self, scope: Scope, key: Key, found: FoundContainer, reason: str) -> Change | None:
        at = scope.at(key)
        if is_task(found.listed):
            return _task_removal(scope, key, service_of(found.listed))
        loses = loses_anonymous(key.name, found.listed) if scope.data_flag else ""
        return Change(
            key=key,
            action="remove",
            reason=reason,
            command=shell(["docker", "stop", key.name], ["docker", "rm", "--volumes", key.name]),
            carry_out=partial(remove_container, at.host, key.name, found.listed["Id"]),
            blocked=loses,
            flag=scope.data_flag if loses else "",
        )


def _task_removal(scope: Scope, key: Key, service: str) -> Change | None:
    """Wait for a task whose service is gone.

    An interrupted removal did not see it end.
    """
    if not scope.swarms or any(service in view.services for view in scope.swarms.values()):
        return None  # it goes with its service
    return Change(
        key=key,
        action="remove",
        reason=f"its service {service} no longer exists",
        command=TaskWait(service).command,
        carry_out=partial(wait_for_tasks_to_end, [scope.at(key).host], service),
    )


def _sources_first(containers: Mapping[str, Container]) -> list[str]:
    """Names, those whose volumes others take before the others."""
    takes = {name: {text.partition(":")[0] for text in one.volumes_from} for name, one in containers.items()}
    return [name for name in TopologicalSorter(takes).static_order() if name in containers]


def needs_of(lab: Lab, container: Container) -> frozenset[Key]:
    """What a container's change comes after."""
    host = container.host
    volumes = [one.source for one in map(parse_mount, container.volumes) if one.type == "volume"]
    on_disks = [needed_disk(host, _volume(lab, host, name)) for name in volumes]
    swarm = {Key(host, "swarm", "membership"), MANAGERS}
    return frozenset(
        {Key(host, "image", container.image)}
        | {Key(host, "volume", name) for name in volumes}
        | frozenset().union(*on_disks)
        | {Key(host, "container", name.partition(":")[0]) for name in container.volumes_from}
        | {network_key(lab, host, name) for name in container.networks}
        | (swarm if any(is_swarm_wide(lab, name) for name in container.networks) else set())
    )


def _volume(lab: Lab, host: str, name: str) -> Volume | None:
    found = [play.volumes[name] for play in lab.plays.values() if name in play.volumes]
    return next((volume for volume in found if host in lab.expand(volume.hosts)), None)


def _around(change: Change) -> str:
    """Why a container is recreated because of what it needs, or nothing."""
    kind, name = change.key.kind, change.key.name
    if change.blocked or kind not in ("volume", "network", "container"):
        return ""
    if change.action == "replace":
        return f"its {kind} {name} is recreated" if kind != "container" else f"it takes volumes from {name}, recreated"
    return f"its {kind} {name} is gone" if change.action == "create" else ""


def _replacement(
    scope: Scope,
    key: Key,
    wanted: PlannedContainer,
    found: FoundContainer,
    reason: str,
    differing: tuple[Difference, ...],
    taken: bool,
) -> Change:
    """`taken`: the change of something that it uses removes it already."""
    at, body = scope.at(key), wanted.body
    loses = loses_anonymous(body.name, found.listed) if scope.data_flag else ""

    def carry_out() -> None:
        remove_container(at.host, body.name, found.listed["Id"])
        create_container(at.host, body, neighbours(scope, at))

    remove = [["docker", "stop", body.name], ["docker", "rm", "--volumes", body.name]]
    return Change(
        key=key,
        action="replace",
        reason=reason,
        command=shell(*([] if taken else remove), *body.commands),
        carry_out=carry_out,
        differences=differing,
        needs=wanted.needs,
        weight=_WEIGHT,
        blocked=loses,
        flag=scope.data_flag if loses else "",
    )


def _in_place(scope: Scope, key: Key, planned: PlannedContainer, found: FoundContainer) -> Change | None:
    at, others = scope.at(key), neighbours(scope, scope.at(key))
    wanted, listed, stored = planned.body, found.listed, found.stored
    name, host, state = wanted.name, at.host, listed["State"]
    policy = policy_differences(wanted, stored)
    by_network = network_differences(wanted, listed, stored, at)
    for network, shared in shared_addresses(scope.everywhere, at.name, name).items():
        by_network.setdefault(network, []).append(shared)
    networks = [one for differing in by_network.values() for one in differing]
    steps: list[_Step] = []
    reasons = [describe([*policy, *networks])] if policy or networks else []
    if policy:
        restart = wanted.host_config["RestartPolicy"]["Name"]
        steps.append(_Step([["docker", "update", "--restart", restart, name]], lambda: set_policy(host, wanted)))
    if networks:
        steps.append(_reconnection(host, wanted, listed, by_network, others))
    if state == "paused":
        reasons.append("it is paused")
        steps.append(_Step([["docker", "unpause", name]], lambda: unpause(host, name)))
    elif state != "running":
        reasons.append(f"it is not running: {listed.get('Status') or state}")
        steps.append(_Step([["docker", "start", name]], lambda: start_container(host, wanted, others)))
    if not steps:
        return None

    def carry_out() -> None:
        for step in steps:
            step.carry_out()

    state_differs = [] if state == "running" else [Difference("state", "running", state)]
    action = "update" if policy or networks else "unpause" if state == "paused" else "start"
    return Change(
        key=key,
        action=action,
        reason="; ".join(reasons),
        command=shell(*(command for step in steps for command in step.commands)),
        carry_out=carry_out,
        differences=(*policy, *networks, *state_differs),
        needs=planned.needs,
    )


def _reconnection(
    host: Host, wanted: WantedContainer, listed: Json, touched: Mapping[str, object], others: Sequence[Host]
) -> _Step:
    """Disconnect the container from unwanted networks, and connect it to others.

    To those that it should be on.
    """
    off = [name for name in attached(listed) if name in touched]
    on = [name for name in (wanted.networks or [wanted.host_config["NetworkMode"]]) if name in touched]
    commands = [["docker", "network", "disconnect", "--force", name, wanted.name] for name in off]
    commands += [wanted.connect_command(name) for name in on]

    def carry_out() -> None:
        with engine(host, f"connect container {wanted.name} to its networks") as api:
            for name in off:
                api.disconnect_container_from_network(wanted.name, name, force=True)
        for name in on:
            connect_container(host, wanted, name)
        if listed["State"] == "running":
            ensure_own_addresses(host, wanted, others)

    return _Step(commands, carry_out)


CONTAINER = ContainerKind()
