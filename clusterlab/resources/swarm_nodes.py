"""Nodes of a Swarm as its managers list them."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import docker.errors

from clusterlab.remote import Host
from clusterlab.remote.engine_errors import engine_errors
from clusterlab.resources.base import LABEL_LAB
from clusterlab.resources.managers import Node
from clusterlab.resources.swarm_member import without_port

POLL = 0.5


_ELECTION = 15.0  # seconds: managers choose a new leader when theirs is gone


_UNSETTLED = re.compile(r"leader|code = Unavailable|raft memberlist|out of sequence")


MAJORITY = (
    "Without a majority of its managers a Swarm decides nothing: start their engines, or continue with this one alone: "
    "`docker swarm init --force-new-cluster`."
)


T = TypeVar("T")


def joined_by(node: Node, lab: str) -> bool:
    """Whether clusterlab added a node for `lab`."""
    return bool((node["Spec"].get("Labels") or {}).get(LABEL_LAB) == lab)


def list_nodes(manager: Host) -> list[dict[str, Any]]:
    """The managers' list.

    Raises HostError when they cannot say (as without a majority).
    """
    with engine_errors(manager, "list the Swarm's nodes", MAJORITY):
        nodes: list[dict[str, Any]] = once_settled(manager.docker.nodes)
        return nodes


def once_settled(ask: Callable[[], T]) -> T:
    """What `ask` returns, repeated while the managers are still agreeing.

    On a leader, or on who is a manager.
    """
    began = time.monotonic()
    while True:
        try:
            return ask()
        except docker.errors.APIError as error:
            if time.monotonic() - began > _ELECTION or not _UNSETTLED.search(str(error)):
                raise
        threading.Event().wait(POLL)


def by_id(nodes: Sequence[Node], node: str) -> Node | None:
    return next((one for one in nodes if one["ID"] == node), None)


def address(node: Node) -> str:
    """Where the managers see a node.

    A manager's own entry names the address that it serves on.
    """
    serves = (node.get("ManagerStatus") or {}).get("Addr") or ""
    return without_port(serves) or (node.get("Status") or {}).get("Addr") or ""


def state(node: Node) -> str:
    return (node.get("Status") or {}).get("State") or "unknown"


def reachability(node: Node) -> str:
    """Of a manager, by the other managers; empty for a worker."""
    return (node.get("ManagerStatus") or {}).get("Reachability") or ""
