"""Removing the objects of stacks."""

from __future__ import annotations

from functools import partial

from .base import Change, Key
from .engine_calls import engine, shell
from .observed import Observed, is_task, service_of
from .removal import remove_network, remove_service, service_losses, wait_for_tasks_to_end
from .scope import MANAGERS, Scope
from .stack_view import StackObject


def removal(scope: Scope, key: Key, found: StackObject, reason: str, needs: frozenset[Key]) -> Change:
    at = scope.at(key)
    loses = service_losses(scope, found.name) if found.kind == "service" and scope.data_flag else ""
    return Change(
        key=key,
        action="remove",
        reason=reason,
        command=shell(["docker", found.kind, "rm", found.name]),
        carry_out=partial(_remove, scope, at, found),
        needs=needs | {MANAGERS},
        blocked=loses or (_used_by_others(scope, key, found) if found.kind == "network" else ""),
        flag=scope.data_flag if loses else "",
        where=at.name,
    )


def _used_by_others(scope: Scope, key: Key, network: StackObject) -> str:
    """Who else is on a network that should go.

    Containers that are no tasks, and services that stay.
    """
    stays = {
        name for name, one in scope.swarms[key.host].services.items()
        if not StackObject("service", name, one).is_of(scope.name)
    }  # fmt: skip
    users = sorted(
        f"container {name} on {at.name}"
        for at in scope.everywhere
        for name, one in at.containers_on(network.id).items()
        if (service_of(one) in stays if is_task(one) else not at.owns(one))
    )
    return f"{', '.join(users)}, which clusterlab did not create, is on it: disconnect that first" if users else ""


def _remove(scope: Scope, at: Observed, found: StackObject) -> None:
    match found.kind:
        case "service":
            remove_service(at.host, found.name, found.id)
            wait_for_tasks_to_end(scope.hosts, found.name)
        case "network":
            remove_network(at.host, found.name, found.id, scope.hosts)
        case kind:
            with engine(at.host, f"remove {kind} {found.name}") as api:
                getattr(api, f"remove_{kind}")(found.id)
