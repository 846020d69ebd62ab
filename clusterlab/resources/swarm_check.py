"""Whether the hosts are in the lab's Swarm, as their engines report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clusterlab.errors import ClusterlabError

from .base import SWARM, Change, Key
from .observed import Observed
from .scope import MANAGERS, Scope, Wants

_REMEDY = "run `clusterlab provision`"


def swarm_problems(
    wants: Wants, scope: Scope, wanted: Sequence[Key], errors: Sequence[ClusterlabError]
) -> list[Change]:
    """Blocked changes when the plays need the Swarm.

    One when none of its managers answers, one for each host that is not in it. What needs those waits.

    Being active does not say in which Swarm: a member knows its managers by node id, so the lab's must be among them.
    """
    if all(key.host != SWARM for key in wanted):
        return []
    managers = wants.lab.inventory.with_role("swarm_manager")
    if scope.swarm is None:
        blocked = [_problem(scope.observed[host], "") for host in managers if host in scope.observed]
        why = [error.message for error in errors] or blocked or [f"{', '.join(managers) or 'no host'} does not answer"]
        return [_finding(MANAGERS, f"no manager of the Swarm answers: {'; '.join(why)}")]
    known = {one.get("NodeID") for one in _swarm(scope.swarm.at).get("RemoteManagers") or []}
    found = []
    for host in wants.lab.inventory.with_role("swarm_manager", "swarm_worker"):
        if host in scope.observed and (problem := _problem(scope.observed[host], scope.swarm.at.name, known)):
            found.append(_finding(Key(host, "swarm", "membership"), problem))
    return found


def _finding(key: Key, problem: str) -> Change:
    return Change(
        key=key,
        action="join",
        reason=problem,
        command="clusterlab provision",
        carry_out=_nothing,
        blocked=f"{problem}: {_REMEDY}",
    )


def _problem(at: Observed, manager: str, managers: set[Any] | None = None) -> str:
    swarm = _swarm(at)
    if swarm.get("LocalNodeState") != "active":
        return f"{at.name} is in no Swarm (state: {swarm.get('LocalNodeState') or 'unknown'})"
    if managers is None:
        return f"{at.name} does not manage the Swarm that it is in"
    if not managers & {one.get("NodeID") for one in swarm.get("RemoteManagers") or []}:
        return f"{at.name} is in another Swarm than {manager}"
    return ""


def _swarm(at: Observed) -> Mapping[str, Any]:
    return at.info.get("Swarm") or {}


def _nothing() -> None:
    """Never called: the change is blocked."""
