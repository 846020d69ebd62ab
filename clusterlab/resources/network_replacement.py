"""Replace a network, around the containers and services of ours that are on it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from . import service_ends
from .base import SWARM, Change, Command, Difference, Key
from .compare import describe
from .engine_calls import engine, shell
from .network_spec import WantedNetwork
from .observed import Json, Observed, is_task
from .ownership import with_owner
from .removal import foreign_users, loses_anonymous, remove_container, remove_network, users_of
from .scope import MANAGERS, Scope


def remove_command(name: str, services: Sequence[str]) -> str:
    """Wait for the Swarm to notice that nothing uses the network.

    It does so only a moment after the last task of a service has ended.
    """
    remove = shell(["docker", "network", "rm", name])
    return f"timeout 60 sh -c {shlex.quote(f'until {remove}; do sleep 1; done')}" if services else remove


def needs_of(key: Key) -> frozenset[Key]:
    return frozenset({MANAGERS} if key.host == SWARM else ())


def users_on(scope: Scope, key: Key, found: Json) -> list[tuple[Observed, dict[str, Json]]]:
    """Hosts with their containers on the network: all hosts for one of the Swarm."""
    hosts = scope.everywhere if found.get("Scope") == "swarm" else [scope.at(key)]
    return [(one, one.containers_on(found["Id"])) for one in hosts]


def services_on(scope: Scope, key: Key, found: Json) -> list[str]:
    return scope.swarms[key.host].services_on(found["Id"]) if key.host in scope.swarms else []


def replacement(
    scope: Scope, key: Key, wanted: WantedNetwork, found: Json, differing: tuple[Difference, ...]
) -> Change:
    at, users, services = scope.at(key), users_on(scope, key, found), services_on(scope, key, found)
    ours = [
        (one.host, name, listed["Id"])
        for one, containers in users
        for name, listed in containers.items()
        if one.owns(listed) and not is_task(listed)
    ]
    blocked, flag = _kept_back(scope, key, users, services)

    def carry_out() -> None:
        for host, name, container in ours:
            remove_container(host, name, container)
        service_ends.end(scope, key, services)
        remove_network(at.host, wanted.name, found["Id"], [one.host for one, _ in users])
        create(at, wanted)

    stop = [shell(["docker", "rm", "--force", "--volumes", name]) for host, name, _ in ours if host.name == at.name]
    stop += service_ends.commands(scope, key, services)
    stop.append(remove_command(wanted.name, services))
    if found.get("Scope") == "swarm":  # the manager's own engine notices a moment later, too
        stop.append(f"timeout 60 sh -c 'while docker network inspect {wanted.name} >/dev/null 2>&1; do sleep 1; done'")
    taken = frozenset[Key]().union(*(users_of(one, containers) for one, containers in users))
    return Change(
        key=key,
        action="replace",
        reason=describe(differing),
        command=" && ".join([*stop, shell(wanted.command)]),
        carry_out=carry_out,
        differences=differing,
        needs=needs_of(key),
        blocked=blocked,
        flag=flag,
        where=at.name,
        first=tuple(
            Command(host.name, shell(["docker", "rm", "--force", "--volumes", name]))
            for host, name, _ in ours
            if host.name != at.name
        ),
        takes=taken | service_ends.keys(key, services),
    )


def _kept_back(
    scope: Scope, key: Key, users: Sequence[tuple[Observed, dict[str, Json]]], services: Sequence[str]
) -> tuple[str, str]:
    """Why a network must not be replaced, and the flag that would allow it.

    Empty when it may.
    """
    at = scope.at(key)
    foreign = [text for one, containers in users if (text := foreign_users(one, containers))]
    foreign += [f"service {name}" for name in services if not at.owns(scope.swarms[key.host].services[name])]
    if foreign:
        return f"{'; '.join(foreign)}, which clusterlab did not create, is on it: disconnect that first", ""
    if not scope.data_flag:
        return "", ""
    losses = [
        text
        for _, containers in users
        for name, one in containers.items()
        if not is_task(one) and (text := loses_anonymous(name, one))
    ]
    losses += service_ends.losses(scope, services)
    return "; ".join(losses), scope.data_flag if losses else ""


def create(at: Observed, wanted: WantedNetwork) -> None:
    with engine(at.host, f"create network {wanted.name}") as api:
        api.create_network(
            wanted.name,
            driver=wanted.driver,
            options=wanted.options,
            ipam=wanted.ipam,
            check_duplicate=True,
            internal=wanted.switches["internal"],
            attachable=wanted.switches["attachable"] if wanted.swarm_wide else None,
            enable_ipv6=wanted.switches["enable_ipv6"],
            labels=with_owner(wanted.labels),
        )
