"""Containers: created, started, changed in place where possible, else replaced.

What a container wrote outside its volumes goes with it: that is not counted as data. What it wrote into an
anonymous volume is, so such a container is replaced only when that is allowed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from graphlib import TopologicalSorter

from clusterlab.model.lab import Lab
from clusterlab.model.needs import container_needs, missing
from clusterlab.model.playbook import Container, Volume
from clusterlab.model.short_syntax import parse_mount

from .base import Change, Difference, Key, Skipped
from .compare import describe
from .container_actions import (
    create_container,
    neighbours,
)
from .container_body import wanted_container
from .container_changes import START_WEIGHT, PlannedContainer, around, in_place, replacement
from .container_drift import fixed_differences, policy_differences
from .disks import needed_disk
from .engine_calls import shell
from .images import coming_id
from .kind import ResourceKind, skipped
from .labels import is_ours, not_ours, play_of
from .observed import Observed, is_task, labels_of, service_of
from .removal import TaskWait, left_behind, loses_anonymous, remove_container, takers, wait_for_tasks_to_end
from .report import Report
from .scope import MANAGERS, Scope, Wants, is_swarm_wide, network_key
from .stored import FoundContainer, Stored, stored_in, stored_question

_BROKEN = ("restarting", "dead", "removing")  # states in which a container cannot be changed in place


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
                weight=START_WEIGHT,
                blocked=blocked,
            )
        listed = found.listed
        fixed = fixed_differences(body, listed, found.stored, coming_id(wants, scope, at, wanted.image))
        needed = [scope.pending[need] for need in sorted(wanted.needs & scope.pending.keys())]
        taken = takers(scope, key)
        replaced = [text for change in needed if (text := around(change))] + left_behind(taken, wanted.needs)
        broken = [f"it is {listed['State']}: {listed.get('Status', '')}"] if listed["State"] in _BROKEN else []
        if fixed or replaced or broken:
            reason = "; ".join([*replaced, *broken, *([describe(fixed)] if fixed else [])])
            after = replace(wanted, needs=wanted.needs | taken)
            return replacement(scope, key, after, found, reason, tuple(fixed), bool(taken))
        return in_place(scope, key, wanted, found)

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


CONTAINER = ContainerKind()
