"""What changes a host's place in the Swarm, through the engines' API; no token leaves the body of a request."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar

import docker.errors

from clusterlab.errors import ClusterlabError, DeadlineExceeded, HostError
from clusterlab.remote import Host
from clusterlab.remote.engine_errors import engine_errors
from clusterlab.resources.base import LABEL_LAB
from clusterlab.resources.docker_engine import info

PORT = 2377  # on which managers listen
_SETTLES_WITHIN = 120.0  # seconds until the managers see a node as wanted
_PATIENCE = 10.0  # seconds for what waiting hardly helps: a manager may lag behind, an engine may just have started
_POLL = 0.5
_ELECTION = 15.0  # seconds: managers choose a new leader when theirs is gone
_UNSETTLED = re.compile(r"leader|code = Unavailable|raft memberlist|out of sequence")
_PORTS = (
    "Between the hosts 2377/tcp, 7946/tcp, 7946/udp and 4789/udp must be open, and each host must have the address "
    "that the inventory gives it (`ip -4 address`)."
)
_MAJORITY = (
    "Without a majority of its managers a swarm decides nothing: start their engines, or begin anew from this one with "
    "`docker swarm init --force-new-cluster`."
)

Node = Mapping[str, Any]
T = TypeVar("T")


def init(host: Host, lan: str, lab: str) -> None:
    """Begin a swarm on `host`, marked with the lab's name."""
    with engine_errors(host, "begin a swarm", _PORTS):
        spec = host.docker.create_swarm_spec(labels={LABEL_LAB: lab})
        host.docker.init_swarm(advertise_addr=lan, data_path_addr=lan, listen_addr=f"{lan}:{PORT}", swarm_spec=spec)
    settle(host, lan, "manager", host)


def join(
    host: Host, lan: str, role: Literal["manager", "worker"], manager: Host, *, give_up_first: bool = False
) -> None:
    """Join `host` to the swarm of `manager`, and wait until the managers see it as wanted."""
    if give_up_first:
        with engine_errors(host, "end its earlier attempt to join a swarm"):
            host.docker.leave_swarm(force=True)
    with engine_errors(manager, "ask for the swarm's join token"):
        token = manager.docker.inspect_swarm()["JoinTokens"][role.capitalize()]
    _ask_to_join(host, lan, manager, token)
    settle(host, lan, role, manager)


def _ask_to_join(host: Host, lan: str, manager: Host, token: str) -> None:
    def attempt() -> None:
        host.docker.join_swarm(
            remote_addrs=[_serves_at(manager)],
            join_token=token,
            listen_addr=f"{lan}:{PORT}",
            advertise_addr=lan,
            data_path_addr=lan,
        )

    try:
        _once_settled(attempt)
    except docker.errors.APIError as error:
        said = str(error.explanation or error).replace(token, "(token)")
        # It goes on joining by itself then; whether it gets there is seen afterwards.
        if "will continue in the background" not in said:
            raise HostError(host.name, f"cannot join the swarm of {manager.name}: {said}", remedy=_PORTS) from None


def _serves_at(manager: Host) -> str:
    """Where this one manager listens; others of the list may be gone."""
    swarm = info(manager)["Swarm"]
    own = [one["Addr"] for one in swarm.get("RemoteManagers") or () if one["NodeID"] == swarm["NodeID"]]
    return str(own[0]) if own else f"{swarm['NodeAddr']}:{PORT}"


def settle(host: Host, lan: str, role: Literal["manager", "worker"], manager: Host) -> None:
    """Wait until the managers see `host` as a ready node with `role` and its address on the LAN."""
    began = time.monotonic()
    while True:
        seen, hopeless = _look(host, lan, role, manager)
        if not seen:
            return
        if hopeless and time.monotonic() - began > _PATIENCE:
            raise HostError(host.name, seen, remedy="Run the same command again: it says what can be done.")
        if time.monotonic() - began > _SETTLES_WITHIN:
            raise DeadlineExceeded(
                f"{host.name}: not in the swarm of {manager.name} as wanted after {_SETTLES_WITHIN:.0f} s: {seen}",
                remedy=_PORTS,
            )
        threading.Event().wait(_POLL)


def _look(host: Host, lan: str, role: str, manager: Host) -> tuple[str, bool]:
    """What is not as wanted (empty: nothing), and whether waiting hardly helps."""
    try:
        swarm = info(host)["Swarm"]
        node = by_id(list_nodes(manager), swarm.get("NodeID") or "")
    except ClusterlabError as error:  # an election, or an engine that is starting
        return error.message, False
    local = swarm.get("LocalNodeState")
    if local in ("inactive", "locked"):
        return f"its engine says that it is {local}", True
    if node is None:
        said = f"{local}: {swarm['Error']}" if swarm.get("Error") else local
        return f"not in the swarm of {manager.name}, its engine says {said}", local == "active"
    if state(node) != "ready":
        return f"its node is {state(node)}", False
    if node["Spec"]["Role"] != role or (role == "manager" and reachability(node) != "reachable"):
        return f"its node is a {node['Spec']['Role']}, {reachability(node) or 'not yet at work'}", False
    if address(node) != lan:
        return f"the managers see it at {address(node)}, not at {lan}", False
    return "", False


def update(host: Host, lan: str, role: Literal["manager", "worker"], manager: Host) -> None:
    """Give the node of `host` its role, and make it take tasks."""
    node = info(host)["Swarm"]["NodeID"]
    _set(manager, node, {"Role": role, "Availability": "active"})
    settle(host, lan, role, host if role == "manager" else manager)


def set_availability(manager: Host, node: str, availability: str) -> None:
    """Whether a node takes tasks (active), keeps those that it has (pause) or gives them away (drain)."""
    _set(manager, node, {"Availability": availability})


def remove(manager: Host, node: str) -> None:
    """Remove a node that no host is any more from the managers' list."""
    found = by_id(list_nodes(manager), node)
    if found is None:
        return
    if found["Spec"]["Role"] == "manager":
        _set(manager, node, {"Role": "worker"})
    with engine_errors(manager, f"remove the node {node}"):
        manager.docker.remove_node(node, force=True)


def _set(manager: Host, node: str, wanted: dict[str, str]) -> None:
    def attempt() -> None:
        now = manager.docker.inspect_node(node)
        spec: Any = {**now["Spec"], **wanted}
        manager.docker.update_node(node, now["Version"]["Index"], spec)

    with engine_errors(manager, f"update the node {node}"):
        _once_settled(attempt)


def list_nodes(manager: Host) -> list[dict[str, Any]]:
    """The managers' list; raises HostError when they cannot say (as without a majority)."""
    with engine_errors(manager, "list the swarm's nodes", _MAJORITY):
        nodes: list[dict[str, Any]] = _once_settled(manager.docker.nodes)
        return nodes


def _once_settled(ask: Callable[[], T]) -> T:
    """What `ask` returns, asked again while the managers are still agreeing on a leader or on who is a manager."""
    began = time.monotonic()
    while True:
        try:
            return ask()
        except docker.errors.APIError as error:
            if time.monotonic() - began > _ELECTION or not _UNSETTLED.search(str(error)):
                raise
        threading.Event().wait(_POLL)


def by_id(nodes: Sequence[Node], node: str) -> Node | None:
    return next((one for one in nodes if one["ID"] == node), None)


def address(node: Node) -> str:
    """Where the managers see a node; a manager's own entry names the address that it serves on."""
    serves = (node.get("ManagerStatus") or {}).get("Addr") or ""
    return without_port(serves) or (node.get("Status") or {}).get("Addr") or ""


def state(node: Node) -> str:
    return (node.get("Status") or {}).get("State") or "unknown"


def reachability(node: Node) -> str:
    """Of a manager, by the other managers; empty for a worker."""
    return (node.get("ManagerStatus") or {}).get("Reachability") or ""


def without_port(address: str) -> str:
    return address.rsplit(":", 1)[0] if address.count(":") == 1 else address
