"""What preconditions are judged by.

The state of hosts, read with one command per host and two to four requests to its engine, all bounded in time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import docker.errors

from clusterlab.errors import ClusterlabError, DeadlineExceeded
from clusterlab.remote import Completed, Host
from clusterlab.remote.channels import ChannelsInUse, SessionRefused
from clusterlab.remote.docker_errors import NoAnswer
from clusterlab.remote.engine_errors import engine_errors
from clusterlab.remote.host import QUESTION_SECONDS
from clusterlab.resources.base import LABEL_LAB
from clusterlab.resources.observed import Json
from clusterlab.resources.swarm_member import without_port
from clusterlab.waiting import within

REACH_SECONDS = 20.0  # for the first command, the connection included
_TRUE_SECONDS = REACH_SECONDS - 2.0  # to wait for a channel, and to run it: the error says which, and comes in time
_AGAIN_SECONDS = 5.0  # for a command on a host whose engine was silent
_SPARE_SECONDS = 10.0  # for what comes besides the answers of an engine

_OF_ENGINE: Mapping[str, Callable[[Any], Any]] = {
    "containers": lambda api: api.containers(all=True),
    "info": lambda api: api.info(),
}
_OF_MANAGER: Mapping[str, Callable[[Any], Any]] = {
    "nodes": lambda api: api.nodes(),
    "services": lambda api: api.services(status=True),
}
_FIRST = ("containers", "nodes")  # without an answer to these the following are not asked
ENGINE_SECONDS = QUESTION_SECONDS * (len(_OF_ENGINE) + len(_OF_MANAGER)) + _SPARE_SECONDS  # for all the questions
_JOBS = ("ReplicatedJob", "GlobalJob")

_LISTENS = "cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -c ':0801 [0-9A-F]*:0000 0A '"
"""Prints how many sockets listen on port 2049."""
_NO_END = f"no command completes there within {REACH_SECONDS:g} s"
Answers = Mapping[str, Any]
"""What an engine said to each question: its answer as the API documents it, or why there is none."""


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
    serves = "nfs_server" in roles
    first = _LISTENS if serves else "true"
    reached = within(REACH_SECONDS, lambda: host.run(first, timeout=_TRUE_SECONDS, spare=True).stdout)
    if isinstance(reached, ChannelsInUse | SessionRefused):
        in_use = isinstance(reached, ChannelsInUse)
        return Facts(host.name, began, time.monotonic() - began, complete=False, asked=not in_use)
    if not isinstance(reached, str):
        why = reached.message.removeprefix(f"{host.name}: ") if reached else _NO_END
        return Facts(host.name, began, time.monotonic() - began, unreachable=why)
    found = Facts(host.name, began, nfs_listens=_listens(reached) if serves else None)
    if "docker" in roles:
        found = _of_engine(host, found, "swarm_manager" in roles)
    return replace(found, took=time.monotonic() - began)


def _listens(printed: str) -> bool | None:
    """Whether something listens; None when no number was printed, so that it was not seen.

    A shell may print something of its own before.
    """
    number = printed.split()[-1:]
    return int(number[0]) > 0 if number and number[0].isdecimal() else None


def _of_engine(host: Host, found: Facts, manages: bool) -> Facts:
    """The facts together with what the engine answers; incomplete when it is slow, breaks off, or answers otherwise.

    Silence is the engine's only when the host still answers: a network that broke meanwhile is silent, too.
    """
    answers = within(ENGINE_SECONDS, lambda: _ask(host, manages))
    unknown = replace(found, complete=False)
    if not isinstance(answers, Mapping):
        return unknown
    try:
        found = judged(found, answers)
    except (AttributeError, KeyError, TypeError, ValueError):  # it has not the form that the API documents
        return unknown
    if found.engine_silent:
        reached = within(REACH_SECONDS, lambda: host.run("true", timeout=_AGAIN_SECONDS, spare=True))
        return found if isinstance(reached, Completed) else unknown
    return found


def _ask(host: Host, manages: bool) -> Answers:
    answers: dict[str, Any] = {}
    with host.questions() as api:
        for name, question in {**_OF_ENGINE, **(_OF_MANAGER if manages else {})}.items():
            try:
                with engine_errors(host, "ask the engine"):
                    answers[name] = question(api)
            except ClusterlabError as error:
                answers[name] = error
                if name in _FIRST:
                    break
    return answers


def judged(found: Facts, answers: Answers) -> Facts:
    """The facts together with what an engine answered; a question that is not in `answers` was not asked."""
    containers = answers["containers"]
    if isinstance(containers, ClusterlabError):
        return _refused(found, containers)
    info, nodes, services = (answers.get(name) for name in ("info", "nodes", "services"))
    refused = isinstance(nodes, ClusterlabError) and isinstance(nodes.__cause__, docker.errors.APIError)
    missing = [one for one in (info, None if refused else nodes, services) if isinstance(one, ClusterlabError)]
    return replace(
        found,
        containers={_name(one): str(one.get("Status") or "") for one in containers},
        swarm={} if isinstance(info, ClusterlabError) else _place(info or {}),
        nodes=None if nodes is None or isinstance(nodes, ClusterlabError) else dict(_nodes(nodes)),
        services={} if isinstance(services, ClusterlabError) else dict(map(_tasks, services or ())),
        complete=not missing,
    )


def _refused(found: Facts, error: ClusterlabError) -> Facts:
    """The facts of a host whose engine does not answer its first question; incomplete when that says nothing of it."""
    if isinstance(error.__cause__, docker.errors.APIError):
        return replace(found, engine_down=f"the Docker engine cannot be used: {error.detail or error.message}")
    if isinstance(error, NoAnswer) and not error.lost:
        return replace(found, engine_down=error.why)
    if isinstance(error, DeadlineExceeded) and not isinstance(error.__cause__, ChannelsInUse):
        why = f"the Docker engine does not answer within {QUESTION_SECONDS:g} s"
        return replace(found, engine_down=why, engine_silent=True)
    return replace(found, complete=False)


def _name(container: Json) -> str:
    """Its own name: those that links gave it have a slash inside."""
    names = [str(one).removeprefix("/") for one in container.get("Names") or ()]
    return next((one for one in names if "/" not in one), "")


def _place(info: Json) -> Mapping[str, Any]:
    """What an engine says of its place in a Swarm, and its processors; only a manager knows the Swarm's labels."""
    swarm = info.get("Swarm") or {}
    spec = (swarm.get("Cluster") or {}).get("Spec") or {}
    return {"NCPU": info.get("NCPU", 0), "LocalNodeState": swarm.get("LocalNodeState"), "Labels": spec.get("Labels")}


def _nodes(answer: Iterable[Json]) -> Iterable[tuple[str, Node]]:
    for one in answer:  # a manager's own entry may have 0.0.0.0 for its address
        status, manager = one["Status"], one.get("ManagerStatus") or {}
        address = without_port(str(manager.get("Addr") or "")) or str(status.get("Addr") or "")
        leads = bool(manager.get("Leader"))
        yield address, Node(str(status["State"]), str(one["Spec"]["Availability"]), leads)


def _tasks(service: Json) -> tuple[str, tuple[int, int]]:
    """A service's name, and its running and desired tasks; a job need have no running task."""
    name, status = str(service["Spec"]["Name"]), service.get("ServiceStatus") or {}
    if any(mode in service["Spec"]["Mode"] for mode in _JOBS):
        return name, (0, 0)
    return name, (int(status.get("RunningTasks", 0)), int(status.get("DesiredTasks", 0)))
