"""What changes a host's place in the Swarm, through the engines' API.

No token leaves the body of a request.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import docker.errors

from clusterlab.errors import ClusterlabError, HostError
from clusterlab.model.inventory import Availability
from clusterlab.model.swarm import Swarm as Settings
from clusterlab.remote import Host
from clusterlab.remote.engine_errors import engine_errors
from clusterlab.resources import swarm_settings
from clusterlab.resources.base import LABEL_LAB
from clusterlab.resources.docker_engine import info
from clusterlab.resources.swarm_member import SwarmRole
from clusterlab.resources.swarm_nodes import (
    MAJORITY,
    POLL,
    address,
    by_id,
    list_nodes,
    once_settled,
    reachability,
    state,
)
from clusterlab.waiting import wait_until

PORT = 2377  # on which managers listen
_SETTLES_WITHIN = 120.0  # seconds until the managers see a node as wanted
_PATIENCE = 10.0  # seconds for what waiting hardly helps: a manager may lag behind, an engine may just have started
_AT_WORK = {"assigned", "accepted", "preparing", "ready", "starting", "running"}
_PORTS = (
    "Between the hosts 2377/tcp, 7946/tcp, 7946/udp and 4789/udp must be open, and each host must have the address "
    "that the inventory gives it (`ip -4 address`)."
)


@dataclass(frozen=True)
class Wanted:
    """A node as it should be.

    `availability` None leaves it as it is, `anywhere` accepts any address.

    `labels` are those that the inventory gives it; others stay.
    """

    host: Host
    role: SwarmRole
    lan: str
    availability: Availability | None = "active"
    anywhere: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    overlay: str = ""  # the address of overlay traffic; empty: lan


def init(wanted: Wanted, lab: str, settings: Settings) -> None:
    """Initialise a Swarm on a host, with the lab's label, which makes it ours."""
    host, lan = wanted.host, wanted.lan
    with engine_errors(host, "initialise a Swarm", _PORTS):
        options = swarm_settings.init_options(settings, lab)
        overlay = wanted.overlay or lan
        host.docker.init_swarm(advertise_addr=lan, data_path_addr=overlay, listen_addr=f"{lan}:{PORT}", **options)
    settle(replace(wanted, availability=None), host)
    _mark(wanted, lab, host)


def join(wanted: Wanted, lab: str, manager: Host, *, adopt: bool = False, give_up_first: bool = False) -> None:
    """Join a host to the Swarm of `manager`, and label its node.

    Waits until the managers see it as wanted.

    Raises HostError when that Swarm was not initialised for `lab`, unless `adopt`.
    """
    host = wanted.host
    swarm = _inspect(manager)
    if not adopt and _lab_of(swarm) != lab:
        raise HostError(
            host.name,
            f"does not join the Swarm of {manager.name}, which clusterlab did not initialise for the lab {lab}",
            remedy="Run the same command again: it shows what can be done.",
        )
    if give_up_first:
        now = info(host)["Swarm"]
        if now.get("LocalNodeState") != "pending" or now.get("NodeID"):
            raise HostError(
                host.name,
                "does not leave the Swarm that it has joined meanwhile",
                remedy="Run the same command again: it shows what can be done.",
            )
        with engine_errors(host, "end its earlier attempt to join a Swarm"):
            host.docker.leave_swarm(force=True)
    _request_to_join(wanted, manager, swarm["JoinTokens"][wanted.role.capitalize()])
    settle(replace(wanted, availability=None), manager)
    _mark(wanted, lab, manager)


def made_for(manager: Host) -> str:
    """The lab that the Swarm of a manager was initialised for.

    "" when clusterlab did not initialise it.
    """
    return _lab_of(_inspect(manager))


def _inspect(manager: Host) -> Mapping[str, Any]:
    with engine_errors(manager, "inspect the Swarm", MAJORITY):
        swarm: Mapping[str, Any] = once_settled(manager.docker.inspect_swarm)
        return swarm


def _lab_of(swarm: Mapping[str, Any]) -> str:
    return str((swarm["Spec"].get("Labels") or {}).get(LABEL_LAB, ""))


def _mark(wanted: Wanted, lab: str, manager: Host) -> None:
    """Label a node that clusterlab added, to distinguish it from others."""
    node = info(wanted.host)["Swarm"]["NodeID"]
    labels = {**wanted.labels, LABEL_LAB: lab}
    _set(manager, node, {"Availability": wanted.availability} if wanted.availability else {}, labels)


def _request_to_join(wanted: Wanted, manager: Host, token: str) -> None:
    host, lan = wanted.host, wanted.lan

    def attempt() -> None:
        host.docker.join_swarm(
            remote_addrs=[_serves_at(manager)],
            join_token=token,
            listen_addr=f"{lan}:{PORT}",
            advertise_addr=lan,
            data_path_addr=wanted.overlay or lan,
        )

    try:
        once_settled(attempt)
    except docker.errors.APIError as error:
        said = str(error.explanation or error).replace(token, "(token)")
        # It goes on joining by itself then; whether it gets there is seen afterwards.
        if "will continue in the background" not in said:
            raise HostError(host.name, f"cannot join the Swarm of {manager.name}: {said}", remedy=_PORTS) from None


def _serves_at(manager: Host) -> str:
    """Where this one manager listens; others of the list may be gone."""
    swarm = info(manager)["Swarm"]
    own = [one["Addr"] for one in swarm.get("RemoteManagers") or () if one["NodeID"] == swarm["NodeID"]]
    return str(own[0]) if own else f"{swarm['NodeAddr']}:{PORT}"


def settle(wanted: Wanted, manager: Host) -> None:
    """Wait until the managers see a host as a ready node with its settings.

    Role, availability and address on the LAN.
    """
    name, began, seen = wanted.host.name, time.monotonic(), ""

    def settled() -> bool:
        nonlocal seen
        seen, hopeless = _unsettled(wanted, manager)
        if hopeless and time.monotonic() - began > _PATIENCE:
            raise HostError(name, seen, remedy="Run the same command again: it shows what can be done.")
        return not seen

    what = f"its node in the Swarm of {manager.name} to be as wanted"
    wait_until(settled, what, _SETTLES_WITHIN, subject=name, seen=lambda: seen, remedy=_PORTS, longest_pause=POLL)


def _unsettled(wanted: Wanted, manager: Host) -> tuple[str, bool]:
    """What is not as wanted (empty: nothing), and whether waiting hardly helps."""
    try:
        swarm = info(wanted.host)["Swarm"]
        node = by_id(list_nodes(manager), swarm.get("NodeID") or "")
    except ClusterlabError as error:  # an election, or an engine that is starting
        return error.message, False
    local, role = swarm.get("LocalNodeState"), wanted.role
    if local in ("inactive", "locked"):
        return f"its engine reports that it is {local}", True
    if node is None:
        said = f"{local}: {swarm['Error']}" if swarm.get("Error") else local
        return f"not in the Swarm of {manager.name}, its engine reports {said}", local == "active"
    if state(node) != "ready":
        return f"its node is {state(node)}", False
    if node["Spec"]["Role"] != role or (role == "manager") != (reachability(node) == "reachable"):
        return f"its node is a {node['Spec']['Role']}, {reachability(node) or 'no active manager'}", False
    if role == "worker" and swarm.get("ControlAvailable"):  # demoted a moment ago: it has yet to register as a worker
        return "its engine still manages the Swarm", False
    if wanted.availability not in (None, node["Spec"]["Availability"]):
        return f"its availability is {node['Spec']['Availability']}", False
    if address(node) != wanted.lan and not wanted.anywhere:
        return f"the managers see it at {address(node)}, not at {wanted.lan}", False
    return "", False


def update(wanted: Wanted, manager: Host) -> None:
    """Give a node its role, availability and labels.

    Waits until the managers see it so.
    """
    node = info(wanted.host)["Swarm"]["NodeID"]
    availability = {"Availability": wanted.availability} if wanted.availability else {}
    _set(manager, node, {"Role": wanted.role, **availability}, wanted.labels)
    settle(wanted, wanted.host if wanted.role == "manager" else manager)


def set_availability(
    manager: Host, node: str, availability: str, labels: Mapping[str, str | None] | None = None
) -> None:
    """Whether a node takes tasks (active), keeps its own (pause) or none (drain).

    In the same step it gets `labels`, and loses those that are None.
    """
    _set(manager, node, {"Availability": availability}, labels)


def remove(manager: Host, node: str) -> None:
    """Remove a node from the managers' list.

    After its tasks have moved to others, if it still works.

    Raises DeadlineExceeded when it does not stop being a manager, or its tasks do not end.
    """
    found = by_id(list_nodes(manager), node)
    if found is None:
        return
    if found["Spec"]["Role"] == "manager":
        _set(manager, node, {"Role": "worker"})
    if state(found) == "ready":
        _set(manager, node, {"Availability": "drain"})
    busy = ""

    def idle() -> bool:
        nonlocal busy
        busy = _busy(manager, node)
        return not busy

    remedy = f"See `docker node ps {node}` on {manager.name}, then run the same command again."
    what = f"the node {node} to be idle, so that it can be removed"
    wait_until(idle, what, _SETTLES_WITHIN, subject=manager.name, seen=lambda: busy, remedy=remedy, longest_pause=POLL)
    with engine_errors(manager, f"remove the node {node}"):
        manager.docker.remove_node(node, force=True)


def leave(host: Host) -> None:
    """Leave the Swarm; the last manager ends it."""
    with engine_errors(host, "leave the Swarm"):
        host.docker.leave_swarm(force=True)


def _busy(manager: Host, node: str) -> str:
    """What keeps a node from being removed; empty when nothing does.

    What runs on a lost node cannot be waited for.
    """
    found = by_id(list_nodes(manager), node)
    if found is None:
        return ""
    if found.get("ManagerStatus"):
        return "it is still a manager"
    if state(found) != "ready":
        return ""
    with engine_errors(manager, f"list the tasks of the node {node}"):
        tasks = manager.docker.tasks(filters={"node": node})  # type: ignore[no-untyped-call]
    running = [task for task in tasks if task["Status"]["State"] in _AT_WORK]
    return f"{len(running)} of its tasks still run" if running else ""


def _set(manager: Host, node: str, wanted: Mapping[str, str], labels: Mapping[str, str | None] | None = None) -> None:
    """Change some of a node's settings and keep the others, its other labels too."""

    def attempt() -> None:
        now = manager.docker.inspect_node(node)
        named = {**(now["Spec"].get("Labels") or {}), **(labels or {})}
        kept = {key: value for key, value in named.items() if value is not None}
        spec: Any = {**now["Spec"], **wanted, "Labels": kept}
        manager.docker.update_node(node, now["Version"]["Index"], spec)

    with engine_errors(manager, f"update the node {node}"):
        once_settled(attempt)
