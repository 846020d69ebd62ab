"""Changes of a container: replace it, or change it in place in few steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from clusterlab.remote import Host

from .addresses import shared_addresses
from .base import Change, Difference, Key
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
from .container_body import WantedContainer
from .container_drift import network_differences, policy_differences
from .engine_calls import engine, shell
from .observed import Json, attached
from .removal import loses_anonymous, remove_container
from .retrying import notes
from .scope import Scope
from .stored import FoundContainer

START_WEIGHT = 2  # a start takes long beside the creation of a volume or network


@dataclass(frozen=True)
class _Step:
    """A part of a change: the commands that a person types, and what does the same."""

    commands: list[list[str]]
    carry_out: Callable[[], str | None]


@dataclass(frozen=True)
class PlannedContainer:
    """A container as it should be, with its image and its dependencies.

    The image by its name in the inventory; dependencies are what must exist before it.
    """

    body: WantedContainer
    image: str
    needs: frozenset[Key] = field(default=frozenset(), compare=False)


def around(change: Change) -> str:
    """Why a container is recreated because of what it needs, or nothing."""
    kind, name = change.key.kind, change.key.name
    if change.blocked or kind not in ("volume", "network", "container"):
        return ""
    if change.action == "replace":
        return f"its {kind} {name} is recreated" if kind != "container" else f"it takes volumes from {name}, recreated"
    return f"its {kind} {name} is gone" if change.action == "create" else ""


def replacement(
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

    def carry_out() -> str:
        remove_container(at.host, body.name, found.listed["Id"])
        return create_container(at.host, body, neighbours(scope, at))

    remove = [["docker", "stop", body.name], ["docker", "rm", "--volumes", body.name]]
    return Change(
        key=key,
        action="replace",
        reason=reason,
        command=shell(*([] if taken else remove), *body.commands),
        carry_out=carry_out,
        differences=differing,
        needs=wanted.needs,
        weight=START_WEIGHT,
        blocked=loses,
        flag=scope.data_flag if loses else "",
    )


def in_place(scope: Scope, key: Key, planned: PlannedContainer, found: FoundContainer) -> Change | None:
    at, others = scope.at(key), neighbours(scope, scope.at(key))
    wanted, listed, stored = planned.body, found.listed, found.stored
    name, host, state, id_ = wanted.name, at.host, listed["State"], str(listed["Id"])
    policy = policy_differences(wanted, stored)
    by_network = network_differences(wanted, listed, stored, at)
    for network, shared in shared_addresses(scope.everywhere, at.name, name).items():
        by_network.setdefault(network, []).append(shared)
    networks = [one for differing in by_network.values() for one in differing]
    steps: list[_Step] = []
    reasons = [describe([*policy, *networks])] if policy or networks else []
    if policy:
        restart = wanted.host_config["RestartPolicy"]["Name"]
        steps.append(_Step([["docker", "update", "--restart", restart, name]], lambda: set_policy(host, wanted, id_)))
    if networks:
        steps.append(_reconnection(host, wanted, listed, by_network, others))
    if state == "paused":
        reasons.append("it is paused")
        steps.append(_Step([["docker", "unpause", name]], lambda: unpause(host, name, id_)))
    elif state != "running":
        reasons.append(f"it is not running: {listed.get('Status') or state}")
        steps.append(_Step([["docker", "start", name]], lambda: start_container(host, wanted, others, id_)))
    if not steps:
        return None

    def carry_out() -> str:
        return notes(*(step.carry_out() or "" for step in steps))

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

    def carry_out() -> str:
        with engine(host, f"connect container {wanted.name} to its networks") as api:
            for name in off:
                api.disconnect_container_from_network(listed["Id"], name, force=True)
        repeated = [connect_container(host, wanted, name, listed["Id"]) for name in on]
        if listed["State"] == "running":
            repeated.append(ensure_own_addresses(host, wanted, others, listed["Id"]))
        return notes(*repeated)

    return _Step(commands, carry_out)
