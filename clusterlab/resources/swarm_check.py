"""Whether the hosts are in the manager's Swarm, from what their engines say of themselves."""

from __future__ import annotations

from typing import Any

from .base import Change, Key
from .scope import SWARM_DRIVERS, Scope

_REMEDY = "run `clusterlab provision`"


def swarm_problems(scope: Scope) -> list[Change]:
    """A blocked change for each host that is not in the lab's Swarm, when the plays need one; what needs it waits.

    Being active says nothing of which Swarm: a member knows its managers by node id, so the lab's must be
    among them.
    """
    if not _needed(scope):
        return []
    problems: list[Change] = []
    manager = scope.observed.get(scope.manager)
    manager_id = _swarm(scope, scope.manager).get("NodeID", "") if manager else ""
    for host in scope.lab.inventory.with_role("swarm_manager", "swarm_worker"):
        if host in scope.observed and (problem := _problem(scope, host, manager_id)):
            problems.append(
                Change(
                    key=Key(host, "swarm", "membership"),
                    action="join",
                    reason=problem,
                    command="clusterlab provision",
                    carry_out=_nothing,
                    blocked=f"{problem}: {_REMEDY}",
                )
            )
    return problems


def _needed(scope: Scope) -> bool:
    return any(
        play.services or any(network.driver in SWARM_DRIVERS for network in play.networks.values())
        for play in scope.lab.plays.values()
    )


def _problem(scope: Scope, host: str, manager_id: str) -> str:
    swarm = _swarm(scope, host)
    if swarm.get("LocalNodeState") != "active":
        return f"{host} is in no Swarm (state: {swarm.get('LocalNodeState') or 'unknown'})"
    if host == scope.manager and not swarm.get("ControlAvailable"):
        return f"{host} does not manage the Swarm that it is in"
    managers = {one.get("NodeID") for one in swarm.get("RemoteManagers") or []}
    if manager_id and manager_id not in managers:
        return f"{host} is in another Swarm than {scope.manager}"
    return ""


def _swarm(scope: Scope, host: str) -> dict[str, Any]:
    return dict(scope.observed[host].info.get("Swarm") or {})


def _nothing() -> None:
    """Never called: the change is blocked."""
