"""The Swarms that hosts are in, each through one manager that answers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from clusterlab.errors import ClusterlabError

from . import managers
from .base import LABEL_LAB, SWARM
from .engine_calls import engine
from .observed import Json, Observed
from .scope import SwarmView, UnseenTask

_MAJORITY = (
    "Without a majority of its managers a Swarm decides nothing: start their engines (`docker node ls` on a manager "
    "shows which are down)."
)


def swarm_views(
    lab: str, hosts: Iterable[Observed], managers: Collection[str] | None = None
) -> tuple[dict[str, SwarmView], list[ClusterlabError]]:
    """What the managers among `hosts` report, and why Swarms were not observed.

    By the `host` of keys.

    The lab's own Swarm is at SWARM: the one that was initialised for it, or else that of the first of `managers` (of
    any host, without them). No other takes its place when it cannot be asked.
    """
    hosts = list(hosts)
    views: dict[str, SwarmView] = {}
    errors: list[ClusterlabError] = []
    named = False
    for asked in sorted(_by_swarm(hosts), key=lambda asked: not _is_for(lab, asked)):
        own = not named and (_is_for(lab, asked) or managers is None or any(at.name in managers for at in asked))
        named = named or own
        try:
            views[SWARM if own else f"Swarm of {asked[0].name}"] = _view(asked, _members(asked, hosts))
        except ClusterlabError as error:
            errors.append(error)
    return views, errors


def _by_swarm(hosts: Iterable[Observed]) -> list[list[Observed]]:
    """The managers among `hosts`, by their Swarm.

    An engine does not report the Swarm's id while its managers elect a leader, but still the node ids of managers.
    """
    swarms: list[tuple[set[str], list[Observed]]] = []
    for at in hosts:
        if not at.manages_swarm:
            continue
        ids = _ids(at)
        same = [one for one in swarms if one[0] & ids]
        swarms = [one for one in swarms if one not in same]
        swarms.append((ids.union(*(one[0] for one in same)), [*(host for one in same for host in one[1]), at]))
    return [asked for _, asked in swarms]


def _ids(at: Observed) -> set[str]:
    """The ids of a host's Swarm, of its managers and of its own node.

    As far as its engine reports them.
    """
    swarm = at.info.get("Swarm") or {}
    ids = [one.get("NodeID") for one in swarm.get("RemoteManagers") or []]
    return {str(one) for one in (*ids, _cluster(at).get("ID"), swarm.get("NodeID")) if one}


def _members(asked: list[Observed], hosts: Iterable[Observed]) -> set[str]:
    """The node ids of those among `hosts` that are in the Swarm of these managers."""
    known = set[str]().union(*map(_ids, asked))
    return {str((at.info.get("Swarm") or {}).get("NodeID")) for at in hosts if _ids(at) & known}


def _view(asked: list[Observed], members: Collection[str]) -> SwarmView:
    """What the leader reports, or else any other manager.

    Each answers for all of them.

    The list of nodes says who leads. Where there are several managers it is the last that is asked for it, and that one
    for the services only if no other answers: so no host gets more requests than where there is one manager.
    """
    *others, last = [at.name for at in asked]
    by_name = {at.name: at for at in asked}
    leader = _leader(by_name) if others else ""
    _, view = managers.first_answer(
        [*sorted(others, key=lambda name: name != leader), last], lambda name: _reported(by_name[name], members)
    )
    return view


def _reported(at: Observed, members: Collection[str]) -> SwarmView:
    """What one manager reports.

    It is asked for tasks only when a node is not among the inspected `members`.
    """
    with engine(at.host, "list the services", remedy=_MAJORITY) as api:
        services = {one["Spec"]["Name"]: one for one in api.services(status=True)}
        some_unseen = int((at.info.get("Swarm") or {}).get("Nodes") or 0) > len(members)
        return SwarmView(at, services, _unseen(api, services, members) if services and some_unseen else ())


def _unseen(api: Any, services: Mapping[str, Json], members: Collection[str]) -> tuple[UnseenTask, ...]:
    """The tasks that have a container on a node that is not among `members`."""
    names = {one["ID"]: name for name, one in services.items()}
    nodes = {one["ID"]: one["Description"]["Hostname"] for one in api.nodes() if one["ID"] not in members}
    tasks = api.tasks(filters={"node": list(nodes)}) if nodes else []
    return tuple(
        UnseenTask(names[one["ServiceID"]], nodes[one["NodeID"]], one["Spec"]["ContainerSpec"])
        for one in tasks
        if one.get("ServiceID") in names and ((one.get("Status") or {}).get("ContainerStatus") or {}).get("ContainerID")
    )


def _leader(asked: Mapping[str, Observed]) -> str:
    """The host that leads, as far as the last of the managers knows."""
    last = list(asked.values())[-1]
    try:
        with engine(last.host, "list the Swarm's nodes") as api:
            return managers.preferred({name: at.info for name, at in asked.items()}, api.nodes())
    except ClusterlabError:  # the one that is asked next says what is wrong, if it does not know either
        return ""


def _is_for(lab: str, asked: Iterable[Observed]) -> bool:
    return any(((_cluster(at).get("Spec") or {}).get("Labels") or {}).get(LABEL_LAB) == lab for at in asked)


def _cluster(at: Observed) -> Mapping[str, Any]:
    return (at.info.get("Swarm") or {}).get("Cluster") or {}
