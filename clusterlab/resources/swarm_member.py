"""A host's place in a Swarm, as its own engine reports it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from clusterlab.model.inventory import Availability
from clusterlab.remote import Host
from clusterlab.resources.base import LABEL_LAB, Key

ROOT = "/var/lib/docker"
"""Where an engine keeps its state unless it is configured otherwise."""
STATE_FILE = f"{ROOT}/swarm/docker-state.json"
"""How the engine was asked to join, kept across restarts: only this shows the data path address."""
QUESTION = f"cat {STATE_FILE}"

SwarmRole = Literal["manager", "worker"]


@dataclass(frozen=True)
class Member:
    """A host that should be in the lab's Swarm, as its own engine reports it.

    `state` is the engine's word (inactive, pending, active, error, locked), or "unknown" when the engine does not
    answer and has been in a Swarm.
    """

    host: Host
    lan: str
    role: SwarmRole
    state: str = "inactive"
    node: str = ""
    address: str = ""  # that it advertises
    data_path: str = ""  # of overlay traffic; empty: the advertised address
    control: bool = False  # is an active manager
    managers: tuple[str, ...] = ()  # of the Swarm that it is in
    error: str = ""
    made_for: str = ""  # the lab that the Swarm was initialised for; empty: not by clusterlab, or not known here
    availability: Availability | None = None  # wanted; None: active in a Swarm of ours, as found in another one
    labels: Mapping[str, str] = field(default_factory=dict)  # wanted, besides those that the node has
    overlay: str = ""  # the address that overlay traffic should use; empty: lan

    @property
    def key(self) -> Key:
        return Key(self.host.name, "swarm", "membership")


def member(
    host: Host,
    lan: str,
    role: SwarmRole,
    info: Mapping[str, Any] | None,
    state_file: str,
    availability: Availability | None = None,
    labels: Mapping[str, str] | None = None,
    overlay: str = "",
) -> Member:
    """A member from its engine's info and its state file.

    The info is None when the engine does not answer.
    """
    joined = _json(state_file)
    if info is None:
        state = "unknown" if joined else "inactive"
        return Member(host, lan, role, state, availability=availability, labels=labels or {}, overlay=overlay)
    swarm = info.get("Swarm") or {}
    return Member(
        host=host,
        lan=lan,
        role=role,
        state=swarm.get("LocalNodeState") or "inactive",
        node=swarm.get("NodeID") or "",
        address=swarm.get("NodeAddr") or "",
        data_path=without_port(joined.get("DataPathAddr") or ""),
        control=bool(swarm.get("ControlAvailable")),
        managers=tuple(one.get("Addr", "") for one in swarm.get("RemoteManagers") or ()),
        error=swarm.get("Error") or "",
        made_for=_labels(swarm).get(LABEL_LAB, ""),
        availability=availability,
        labels=labels or {},
        overlay=overlay,
    )


def _labels(swarm: Mapping[str, Any]) -> dict[str, str]:
    spec = (swarm.get("Cluster") or {}).get("Spec") or {}
    return spec.get("Labels") or {}


def _json(text: str) -> dict[str, Any]:
    try:
        loaded = json.loads(text or "{}")
    except ValueError:
        return {}
    return loaded if isinstance(loaded, dict) else {}


def at_work(members: Sequence[Member], lab: str) -> list[Member]:
    """Members that can be asked about the lab's Swarm.

    Managers of the one that was initialised for it come first.

    A host that should be a worker and manages a Swarm is in another one, unless that was initialised for this lab.
    """
    ours = [one for one in members if one.control and one.made_for == lab]
    return ours + [one for one in members if one.control and one.role == "manager" and one not in ours]


def without_port(address: str) -> str:
    return address.rsplit(":", 1)[0] if address.count(":") == 1 else address
