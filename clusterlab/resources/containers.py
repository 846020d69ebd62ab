"""Containers: created and started, started again, changed in place where that is possible, and replaced where not.

What a container wrote outside its volumes goes with it: that is not counted as data. What it wrote into a
volume without a name is, so such a container is replaced only when that is allowed.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter

import docker

from clusterlab.errors import HostError
from clusterlab.model.playbook import Container, Volume
from clusterlab.model.short_syntax import parse_mount
from clusterlab.remote import Host

from .base import Change, Difference, Key
from .compare import told
from .container_body import WantedContainer, endpoint, wanted_container
from .container_drift import fixed_differences, network_differences, policy_differences
from .disks import needed_disk
from .engine_calls import engine, shell
from .images import coming_id, tag_on
from .labels import not_ours
from .observed import Json, Observed, Stored, attached, is_task, labels_of
from .removal import container_removal, loses_anonymous, remove_container
from .scope import Scope, network_key
from .volumes import FLAG

_SETTLE = 0.5  # seconds after its start in which a container that cannot work usually ends
_ATTEMPTS = 5
_PAUSE = 2.0  # seconds between them
_LATE = re.compile(r"attaching to network failed|network \S+ not found")
_MOUNTS = "a mount of an NFS server that does not answer is the usual cause"
_moment = threading.Event()  # never set: waits


@dataclass(frozen=True)
class _Step:
    """A part of a change: the commands that do it by hand, and what does it."""

    commands: list[list[str]]
    carry_out: Callable[[], None]


def container_changes(scope: Scope, pending: Mapping[Key, Change]) -> list[Change]:
    """What brings the plays' containers to their wanted state, and removes those that the plays no longer have.

    `pending` are the changes of images, volumes and networks: a container is replaced with a volume or
    network that is.
    """
    changes: list[Change] = []
    wanted: set[Key] = set()
    for play, one in scope.lab.plays.items():
        for name in _sources_first(one.containers):
            container = one.containers[name]
            key = Key(container.host, "container", name)
            wanted.add(key)
            if scope.answers(key):
                before = {**pending, **{change.key: change for change in changes}}
                changes += _brought(scope, play, name, container, before)
    for at in scope.observed.values():
        for name in scope.left_from_these_plays(at, at.containers):
            if Key(at.name, "container", name) not in wanted and not is_task(at.containers[name]):
                flag = "" if scope.allow_data_loss else FLAG
                changes.append(container_removal(at, name, "the play no longer has it", data_flag=flag))
    return changes


def _sources_first(containers: Mapping[str, Container]) -> list[str]:
    """Names, those whose volumes others take before the others."""
    takes = {name: {text.partition(":")[0] for text in one.volumes_from} for name, one in containers.items()}
    return [name for name in TopologicalSorter(takes).static_order() if name in containers]


def needs_of(scope: Scope, container: Container) -> frozenset[Key]:
    """What a container's change comes after."""
    host = container.host
    volumes = [one.source for one in map(parse_mount, container.volumes) if one.type == "volume"]
    networks = {network_key(scope.lab, host, name) for name in container.networks}
    on_disks = [needed_disk(host, _volume(scope, host, name)) for name in volumes]
    swarm = {Key(host, "swarm", "membership")} if any(_swarm_wide(scope, key.name) for key in networks) else set()
    return frozenset(
        {Key(host, "image", container.image)}
        | {Key(host, "volume", name) for name in volumes}
        | frozenset().union(*on_disks)
        | {Key(host, "container", name.partition(":")[0]) for name in container.volumes_from}
        | networks
        | swarm
    )


def _volume(scope: Scope, host: str, name: str) -> Volume | None:
    found = [play.volumes[name] for play in scope.lab.plays.values() if name in play.volumes]
    return next((volume for volume in found if host in scope.lab.expand(volume.hosts)), None)


def _swarm_wide(scope: Scope, network: str) -> bool:
    return any(
        network in play.networks and play.networks[network].driver == "overlay" for play in scope.lab.plays.values()
    )


def _brought(scope: Scope, play: str, name: str, container: Container, pending: Mapping[Key, Change]) -> list[Change]:
    at = scope.observed[container.host]
    wanted = wanted_container(scope.lab.name, play, name, container, tag_on(scope, container.image))
    listed = at.containers.get(name)
    needs = needs_of(scope, container)
    key = Key(at.name, "container", name)
    create = Change(
        key,
        "create",
        "it is not there",
        shell(*wanted.commands),
        lambda: create_container(at.host, wanted),
        needs=needs,
    )
    if listed is None:
        return [create]
    if not at.owns(listed) or is_task(listed):
        blocked = not_ours("container", name, labels_of(listed), f"docker rm --force {name}")
        reason = "another one of that name is there"
        return [Change(key, "create", reason, create.command, create.carry_out, needs=needs, blocked=blocked)]
    stored = at.stored.get(listed["Id"], Stored())
    fixed = fixed_differences(wanted, listed, stored, coming_id(scope, at, container.image, pending))
    around = [_around(pending[need]) for need in sorted(needs & pending.keys())]
    around = [text for text in around if text]
    broken = listed["State"] if listed["State"] in ("restarting", "dead", "removing") else ""
    if fixed or around or broken:
        reasons = [
            *around,
            *([f"it is {broken}: {listed.get('Status', '')}"] if broken else []),
            *([told(fixed)] if fixed else []),
        ]
        removed = any(_removes_users(pending[need], at) for need in needs & pending.keys())
        return [_replacement(scope, at, wanted, needs, "; ".join(reasons), tuple(fixed), removed)]
    return _in_place(at, wanted, listed, stored, needs)


def _around(change: Change) -> str:
    """Why a container is made anew because of what it needs, or nothing."""
    kind, name = change.key.kind, change.key.name
    if change.blocked or kind not in ("volume", "network", "container"):
        return ""
    if change.action == "replace":
        return f"its {kind} {name} is made anew" if kind != "container" else f"it takes volumes from {name}, made anew"
    return f"its {kind} {name} is gone" if change.action == "create" else ""


def _removes_users(change: Change, at: Observed) -> bool:
    """Whether the command of a change removes the containers on this host that use what it makes anew."""
    made_anew = change.action == "replace" and change.key.kind in ("volume", "network")
    return made_anew and change.key.host == at.name and not change.blocked


def _replacement(
    scope: Scope,
    at: Observed,
    wanted: WantedContainer,
    needs: frozenset[Key],
    reason: str,
    differing: tuple[Difference, ...],
    removed: bool,
) -> Change:
    listed = at.containers[wanted.name]
    loses = "" if scope.allow_data_loss else loses_anonymous(wanted.name, listed)

    def carry_out() -> None:
        remove_container(at.host, wanted.name)
        create_container(at.host, wanted)

    remove = [["docker", "stop", wanted.name], ["docker", "rm", "--volumes", wanted.name]]
    commands = wanted.commands if removed else [*remove, *wanted.commands]
    return Change(
        key=Key(at.name, "container", wanted.name),
        action="replace",
        reason=reason,
        command=shell(*commands),
        carry_out=carry_out,
        differences=differing,
        needs=needs,
        blocked=loses,
        flag=FLAG if loses else "",
    )


def _in_place(
    at: Observed, wanted: WantedContainer, listed: Json, stored: Stored, needs: frozenset[Key]
) -> list[Change]:
    name, host, state = wanted.name, at.host, listed["State"]
    policy = policy_differences(wanted, stored)
    by_network = network_differences(wanted, listed, stored, at)
    networks = [one for differing in by_network.values() for one in differing]
    steps: list[_Step] = []
    reasons = [told([*policy, *networks])] if policy or networks else []
    if policy:
        restart = wanted.host_config["RestartPolicy"]["Name"]
        steps.append(_Step([["docker", "update", "--restart", restart, name]], lambda: _set_policy(host, wanted)))
    if networks:
        steps.append(_reconnection(host, wanted, listed, by_network))
    if state == "paused":
        reasons.append("it is paused")
        steps.append(_Step([["docker", "unpause", name]], lambda: _unpause(host, name)))
    elif state != "running":
        reasons.append(f"it does not run: {listed.get('Status') or state}")
        steps.append(_Step([["docker", "start", name]], lambda: _start(host, name)))
    if not steps:
        return []

    def carry_out() -> None:
        for step in steps:
            step.carry_out()

    state_differs = [] if state == "running" else [Difference("state", "running", state)]
    action = "update" if policy or networks else "unpause" if state == "paused" else "start"
    return [
        Change(
            key=Key(at.name, "container", name),
            action=action,
            reason="; ".join(reasons),
            command=shell(*(command for step in steps for command in step.commands)),
            carry_out=carry_out,
            differences=(*policy, *networks, *state_differs),
            needs=needs,
        )
    ]


def _reconnection(host: Host, wanted: WantedContainer, listed: Json, touched: Mapping[str, object]) -> _Step:
    """Takes the container off networks where it is wrongly, and puts it on those where it is to be."""
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

    return _Step(commands, carry_out)


def connect_container(host: Host, wanted: WantedContainer, network: str) -> None:
    """Put a container on a network, with the aliases and the address that are wanted there."""
    attachment = wanted.networks.get(network)
    with engine(host, f"connect container {wanted.name} to network {network}") as api:
        _insist(
            lambda: api.connect_container_to_network(
                wanted.name,
                network,
                ipv4_address=attachment.ipv4_address if attachment else None,
                aliases=endpoint(attachment)["Aliases"] if attachment else None,
            )
        )


def create_container(host: Host, wanted: WantedContainer) -> None:
    """Make a container, connect it to its networks and start it; raises HostError when it ends at once."""
    with engine(host, f"create container {wanted.name}") as api:
        api.create_container_from_config(wanted.config, wanted.name)
        for name in list(wanted.networks)[1:]:
            connect_container(host, wanted, name)
    _start(host, wanted.name)


def _start(host: Host, name: str) -> None:
    """Start a container; raises HostError when it ends at once, with what it said."""
    with engine(host, f"start container {name}", hangs=_MOUNTS) as api:
        _insist(lambda: api.start(name))
        _moment.wait(_SETTLE)
        state = api.inspect_container(name)["State"]
        if state["Status"] in ("running", "created") and not state["Restarting"]:
            return
        said = api.logs(name, tail=30).decode(errors="replace")
    if state["ExitCode"] == 0 and not state["Restarting"]:
        return  # a command that has done its work
    raise HostError(
        host.name,
        f"container {name} ended at once with exit code {state['ExitCode']}",
        remedy=f"`docker logs {name}` says why; correct `command`, `environment` or `volumes` in the play.",
        detail=said,
    )


def _insist(ask: Callable[[], object]) -> None:
    """Engines under load miss the Swarm's answer to their own request to join an overlay: ask again."""
    for attempt in range(_ATTEMPTS):
        try:
            ask()
        except docker.errors.APIError as error:
            if attempt == _ATTEMPTS - 1 or not _LATE.search(str(error.explanation)):
                raise
            _moment.wait(_PAUSE)
        else:
            return


def _unpause(host: Host, name: str) -> None:
    with engine(host, f"unpause container {name}") as api:
        api.unpause(name)


def _set_policy(host: Host, wanted: WantedContainer) -> None:
    with engine(host, f"update container {wanted.name}") as api:
        api.update_container(wanted.name, restart_policy=wanted.host_config["RestartPolicy"])
