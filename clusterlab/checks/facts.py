"""What preconditions are judged by: the state of hosts, read with one command per host that is bounded in time."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from clusterlab.errors import ClusterlabError
from clusterlab.remote import Host
from clusterlab.resources.swarm_member import without_port

ENGINE_SECONDS = 8  # for each of two or three questions to an engine
HOST_SECONDS = 20.0  # for all of it, the connection included

_MARK = "== clusterlab: "
_NODE = (
    '{"addr": {{json .Status.Addr}}, "state": {{json .Status.State}}, "availability": {{json .Spec.Availability}}, '
    '"serves": "{{if .ManagerStatus}}{{.ManagerStatus.Addr}}{{end}}"}'
)
_ENGINE = f"""
answer=$(timeout {ENGINE_SECONDS} docker ps --all --format '{{{{.Names}}}} {{{{.Status}}}}' 2>&1); code=$?
echo "{_MARK}engine $code"; echo "$answer"
[ $code = 0 ] || exit 0
echo "{_MARK}swarm"
timeout {ENGINE_SECONDS} docker info --format '{{{{json .Swarm}}}}' 2>/dev/null
"""
_MANAGER = f"""
nodes=$(timeout {ENGINE_SECONDS} docker node ls --quiet 2>/dev/null) || exit 0
echo "{_MARK}nodes"; timeout {ENGINE_SECONDS} docker node inspect --format '{_NODE}' $nodes
echo "{_MARK}services"
timeout {ENGINE_SECONDS} docker service ls --format '{{{{.Name}}}} {{{{.Replicas}}}}'
"""
_NFS = f"""
echo "{_MARK}nfs"; cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -c ':0801 [0-9A-F]*:0000 0A '
"""  # sockets that listen on port 2049
_LATE = 124  # exit code of timeout(1)


@dataclass(frozen=True)
class Node:
    """A node as the managers see it."""

    state: str  # "ready", "down", "unknown", "disconnected"
    availability: str  # "active", "pause", "drain"


@dataclass(frozen=True)
class Facts:
    """The state of one host; what was not asked, or could not be, is empty."""

    host: str
    began: float  # of time.monotonic, when it was asked
    took: float = 0.0  # seconds
    unreachable: str = ""  # why no command runs there
    engine_down: str = ""  # why the engine does not answer
    engine_silent: bool = False  # it is there, and does not answer in time
    swarm: Mapping[str, Any] = field(default_factory=dict)  # what the engine says of its place in a Swarm
    containers: Mapping[str, str] = field(default_factory=dict)  # status by name, as "Up 3 minutes"
    nodes: Mapping[str, Node] | None = None  # by address; None when the host is no active manager
    services: Mapping[str, tuple[int, int]] = field(default_factory=dict)  # running and desired tasks
    nfs_listens: bool | None = None  # whether something listens on the port of NFS

    @property
    def answers(self) -> bool:
        """Whether its engine answers."""
        return not (self.unreachable or self.engine_down)


def observe(host: Host, roles: frozenset[str]) -> Facts:
    """Read the state of a host; never raises for what the host does, and ends within HOST_SECONDS.

    A host that hangs keeps its thread until its connection ends; it keeps nobody else.
    """
    began = time.monotonic()
    answer: list[str | ClusterlabError] = []

    def ask() -> None:
        try:
            answer.append(host.run(_script(roles), timeout=HOST_SECONDS).stdout)
        except ClusterlabError as error:
            answer.append(error)

    thread = threading.Thread(target=ask, name=f"facts {host.name}", daemon=True)
    thread.start()
    thread.join(HOST_SECONDS)
    took = time.monotonic() - began
    if not answer:
        return Facts(host.name, began, took, unreachable=f"no command ends there within {HOST_SECONDS:g} s")
    said = answer[0]
    if isinstance(said, ClusterlabError):
        return Facts(host.name, began, took, unreachable=said.message.removeprefix(f"{host.name}: "))
    return parse(host.name, said, began, took)


def _script(roles: frozenset[str]) -> str:
    script = _NFS if "nfs_server" in roles else ""
    if "docker" in roles:
        script += _ENGINE + (_MANAGER if "swarm_manager" in roles else "")
    return script or ":"


def parse(host: str, text: str, began: float = 0.0, took: float = 0.0) -> Facts:
    """The facts that the script printed."""
    sections: dict[str, list[str]] = {}
    lines: list[str] = []
    code = 0
    for line in text.splitlines():
        if line.startswith(_MARK):
            name, _, rest = line.removeprefix(_MARK).partition(" ")
            lines = sections.setdefault(name, [])
            code = int(rest) if rest else code
        else:
            lines.append(line)
    engine = "\n".join(sections.get("engine", []))
    return Facts(
        host,
        began,
        took,
        engine_down=_why_down(engine, code) if code else "",
        engine_silent=code == _LATE,
        swarm=_json("\n".join(sections.get("swarm", []))),
        containers=dict(_pair(line) for line in engine.splitlines() if line) if not code else {},
        nodes=_nodes(sections["nodes"]) if "nodes" in sections else None,
        services={name: _tasks(text) for name, text in map(_pair, sections.get("services", []))},
        nfs_listens=sections["nfs"] != ["0"] if "nfs" in sections else None,
    )


def _why_down(said: str, code: int) -> str:
    if code == _LATE:
        return f"the Docker engine does not answer within {ENGINE_SECONDS} s"
    if "daemon running" in said or "connection refused" in said or "no such file" in said:
        return "the Docker engine does not run"
    last = next((line.strip() for line in reversed(said.splitlines()) if line.strip()), f"exit code {code}")
    return f"the Docker engine cannot be used: {last}"


def _json(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text.splitlines()[0])
    except (ValueError, IndexError):
        return {}
    return found if isinstance(found, dict) else {}


def _pair(line: str) -> tuple[str, str]:
    name, _, rest = line.partition(" ")
    return name, rest


def _nodes(lines: list[str]) -> dict[str, Node]:
    found = {}
    for line in lines:
        node = _json(line)
        if node:  # a manager's own entry may have 0.0.0.0 for its address
            address = without_port(str(node["serves"])) or str(node["addr"])
            found[address] = Node(str(node["state"]), str(node["availability"]))
    return found


def _tasks(text: str) -> tuple[int, int]:
    """Of "1/2" or "1/2 (max 1 per node)"."""
    running, _, desired = text.split(" ")[0].partition("/")
    return (int(running), int(desired)) if running.isdigit() and desired.isdigit() else (0, 0)
