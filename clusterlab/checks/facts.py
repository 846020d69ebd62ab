"""What preconditions are judged by.

The state of hosts, read with two commands per host that are bounded in time.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from clusterlab.remote import Host
from clusterlab.remote.channels import ChannelsInUse, SessionRefused
from clusterlab.resources.base import LABEL_LAB
from clusterlab.resources.swarm_member import without_port
from clusterlab.waiting import within

ENGINE_SECONDS = 12  # for each of two or three questions to an engine; a busy emulated machine needs several
REACH_SECONDS = 20.0  # for the first command, the connection included
_TRUE_SECONDS = REACH_SECONDS - 2.0  # to wait for a channel, and to run it: the error says which, and comes in time
HOST_SECONDS = 5 * ENGINE_SECONDS + 10.0  # for all the questions

_MARK = "== clusterlab: "
_NODE = (
    '{"addr": {{json .Status.Addr}}, "state": {{json .Status.State}}, "availability": {{json .Spec.Availability}}, '
    '"serves": "{{if .ManagerStatus}}{{.ManagerStatus.Addr}}{{end}}", '
    '"leads": {{if .ManagerStatus}}{{json .ManagerStatus.Leader}}{{else}}false{{end}}}'
)
_PART = f"""
part() {{
  name=$1; shift; out=$(timeout {ENGINE_SECONDS} "$@" 2>&1); code=$?
  printf '%s\\n' "{_MARK}$name $code" "$out"
}}
"""
_ENGINE = """
part engine docker ps --all --format '{{.Names}} {{.Status}}'
[ $code = 0 ] || exit 0
part swarm docker info --format '{"NCPU": {{.NCPU}}, "LocalNodeState": {{json .Swarm.LocalNodeState}}, "Labels": '\
'{{with .Swarm.Cluster}}{{json .Spec.Labels}}{{else}}null{{end}}}'
"""  # only a manager knows the Swarm's labels
_MANAGER = f"""
part ids docker node ls --quiet
[ $code = 0 ] || exit 0
part nodes docker node inspect --format '{_NODE}' $out
part services docker service ls --format '{{{{.Name}}}} {{{{.Replicas}}}}'
"""
_NFS = f"""
echo "{_MARK}nfs 0"; cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -c ':0801 [0-9A-F]*:0000 0A '
"""  # sockets that listen on port 2049
_LATE = 124  # exit code of timeout(1)
_NO_END = f"no command completes there within {REACH_SECONDS:g} s"


@dataclass(frozen=True)
class Node:
    """A node as the managers see it."""

    state: str  # "ready", "down", "unknown", "disconnected"
    availability: str  # "active", "pause", "drain"
    leads: bool = False  # the managers' leader


@dataclass(frozen=True)
class Facts:
    """The state of one host; what was not asked, or could not be, is empty."""

    host: str
    began: float  # of time.monotonic, when it was asked
    took: float = 0.0  # seconds
    unreachable: str = ""  # why no command runs there
    engine_down: str = ""  # why the engine does not answer
    engine_silent: bool = False  # it is there, and does not answer in time
    swarm: Mapping[str, Any] = field(default_factory=dict)  # what the engine says of its place in a Swarm, and its NCPU
    containers: Mapping[str, str] = field(default_factory=dict)  # status by name, as "Up 3 minutes"
    nodes: Mapping[str, Node] | None = None  # by address; None when the host is not an active manager
    services: Mapping[str, tuple[int, int]] = field(default_factory=dict)  # running and desired tasks
    nfs_listens: bool | None = None  # whether something listens on the port of NFS
    complete: bool = True  # False when a question took too long: then nothing follows from what is missing
    asked: bool = True  # False when there was no channel to ask through, so that nothing at all is known

    @property
    def answers(self) -> bool:
        """Whether its engine answers."""
        return not (self.unreachable or self.engine_down)

    @property
    def made_for(self) -> str:
        """The lab that its Swarm was initialised for.

        "" when not by clusterlab, or when the host is not a manager.
        """
        return str((self.swarm.get("Labels") or {}).get(LABEL_LAB, ""))

    @property
    def processors(self) -> int:
        """Those of the host, as its engine counts them; 0 when that is not known."""
        return int(self.swarm.get("NCPU", 0))


def observe(host: Host, roles: frozenset[str]) -> Facts:
    """Read the state of a host.

    Never raises for what the host does, and ends within bounded time.

    A host that hangs keeps its thread until its connection ends; it keeps nobody else.
    """
    began = time.monotonic()
    reached = within(REACH_SECONDS, lambda: host.run("true", timeout=_TRUE_SECONDS, spare=True).stdout)
    if isinstance(reached, ChannelsInUse | SessionRefused):
        in_use = isinstance(reached, ChannelsInUse)
        return Facts(host.name, began, time.monotonic() - began, complete=False, asked=not in_use)
    if not isinstance(reached, str):
        why = reached.message.removeprefix(f"{host.name}: ") if reached else _NO_END
        return Facts(host.name, began, time.monotonic() - began, unreachable=why)
    printed = within(HOST_SECONDS, lambda: host.run(_script(roles), timeout=HOST_SECONDS, spare=True).stdout)
    took = time.monotonic() - began
    if not isinstance(printed, str):  # it is slow, or broke off: nothing is known but that it was reached
        return Facts(host.name, began, took, complete=False)
    return parse(host.name, printed, began, took)


def _script(roles: frozenset[str]) -> str:
    script = _NFS if "nfs_server" in roles else ""
    if "docker" in roles:
        script += _PART + _ENGINE + (_MANAGER if "swarm_manager" in roles else "")
    return script or ":"


def parse(host: str, text: str, began: float = 0.0, took: float = 0.0) -> Facts:
    """The facts that the script printed."""
    sections: dict[str, list[str]] = {}
    codes: dict[str, int] = {}
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith(_MARK):
            name, _, code = line.removeprefix(_MARK).partition(" ")
            lines, codes[name] = sections.setdefault(name, []), int(code)
        else:
            lines.append(line)
    engine = "\n".join(sections.get("engine", []))
    down = codes.get("engine", 0)
    swarm = _json("\n".join(sections.get("swarm", [])))
    return Facts(
        host,
        began,
        took,
        engine_down=_why_down(engine, down) if down else "",
        engine_silent=down == _LATE,
        swarm=swarm,
        containers=dict(_pair(line) for line in engine.splitlines() if line) if not down else {},
        nodes=_nodes(sections["nodes"]) if codes.get("nodes") == 0 else None,
        services={name: _tasks(text) for name, text in map(_pair, sections.get("services", []))},
        nfs_listens=sections["nfs"] != ["0"] if "nfs" in sections else None,
        complete=not any(codes.get(name, 0) for name in ("swarm", "nodes", "services"))
        and codes.get("ids") != _LATE
        and ("swarm" not in sections or bool(swarm)),
    )


def _why_down(said: str, code: int) -> str:
    if code == _LATE:
        return f"the Docker engine does not answer within {ENGINE_SECONDS} s"
    if "daemon running" in said or "connection refused" in said or "no such file" in said:
        return "the Docker engine is not running"
    last = next((line.strip() for line in reversed(said.splitlines()) if line.strip()), f"exit code {code}")
    return f"the Docker engine cannot be used: {last}"


def _json(text: str) -> dict[str, Any]:
    try:
        found = json.loads(next(line for line in text.splitlines() if line.startswith("{")))
    except (ValueError, StopIteration):
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
            found[address] = Node(str(node["state"]), str(node["availability"]), bool(node.get("leads")))
    return found


def _tasks(text: str) -> tuple[int, int]:
    """Of "1/2" or "1/2 (max 1 per node)"; a job, "0/1 (1/1 completed)", need have no running task."""
    if text.endswith("completed)"):
        return 0, 0
    running, _, desired = text.split(" ")[0].partition("/")
    return (int(running), int(desired)) if running.isdigit() and desired.isdigit() else (0, 0)
