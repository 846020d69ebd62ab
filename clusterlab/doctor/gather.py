"""Query all hosts with at most six requests per engine and one command per host."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from clusterlab.errors import ClusterlabError
from clusterlab.parallel import parallel, results_of
from clusterlab.remote import Host
from clusterlab.remote.engine_errors import engine_errors
from clusterlab.resources.swarm_member import ROOT
from clusterlab.waiting import within

from . import script
from .answers import Answers
from .cluster import Cluster, HostView
from .finding import NotSeen
from .sections.probes import Probe, words

ENGINE_SECONDS = 15.0
"""For all requests to one engine; a busy emulated machine needs several."""
_SPARE_SECONDS = 10.0  # for the connection, and for what the script's own limits cannot end

_OWN: Mapping[str, Callable[[Any], Any]] = {
    "info": lambda api: api.info(),
    "containers": lambda api: api.containers(all=True),
    "volumes": lambda api: api.volumes(),
    "networks": lambda api: api.networks(),
}
_INGRESS: Mapping[str, Callable[[Any], Any]] = {"ingress": lambda api: api.inspect_network("ingress")}
_SWARM: Mapping[str, Callable[[Any], Any]] = {
    "nodes": lambda api: api.nodes(),
    "services": lambda api: api.services(status=True),
    "tasks": lambda api: api.tasks(),
}


@dataclass(frozen=True)
class Asked:
    """A host to ask: whether an engine is expected there, and its address."""

    name: str
    engine: bool = True
    address: str = ""


def engines(hosts: Mapping[str, Host], wanted: Mapping[str, Asked]) -> dict[str, Answers]:
    """What the engines answer, and one manager of the Swarm."""
    found = parallel(lambda one: _own(hosts[one.name], one), wanted.values(), name="host")
    answers = {one.host: one for one in results_of(found)}
    for name, one in list(answers.items()):
        if _says(one, lambda host: host.manages):
            answers[name] = _ask(hosts[name], one, _SWARM)
            if "nodes" in answers[name].api:
                break
    return answers


def scripts(hosts: Mapping[str, Host], answers: Mapping[str, Answers]) -> dict[str, Answers]:
    """The answers together with those of the fact script."""
    probes = _probes(Cluster(answers))
    reached = [one for one in answers.values() if not one.unreachable]
    found = parallel(lambda one: _script(hosts[one.host], one, probes.get(one.host, [])), reached, name="host")
    return {**answers, **{one.host: one for one in results_of(found)}}


def _own(host: Host, wanted: Asked) -> Answers:
    answers = Answers(host.name, wanted.address, engine=wanted.engine)
    if not wanted.engine:
        return answers
    answers = _ask(host, answers, _OWN)
    if _says(answers, lambda host: host.active):
        answers = _ask(host, answers, _INGRESS)
    return answers


def _ask(host: Host, answers: Answers, requests: Mapping[str, Callable[[Any], Any]]) -> Answers:
    """The answers with those to these requests.

    The first refusal of an engine that does not answer ends it.
    """
    found, refused = dict(answers.api), dict(answers.refused)
    deadline = time.monotonic() + ENGINE_SECONDS
    for name, request in requests.items():
        said = within(deadline - time.monotonic(), lambda request=request: _one(host, request))  # type: ignore[misc]
        if isinstance(said, ClusterlabError):
            why = said.message.removeprefix(f"{host.name}: ")
            if name == "info":
                if not host.counts["connections"]:
                    return replace(answers, unreachable=why)
                return replace(answers, engine_down=why)
            refused[name] = f"{why}: {said.detail}" if said.detail else why
        elif said is None:
            if name == "info":
                why = f"the Docker engine does not answer within {ENGINE_SECONDS:g} s"
                return replace(answers, engine_down=why, engine_silent=True)
            refused[name] = "no answer in time"
        else:
            found[name] = said[0]
    return replace(answers, api=found, refused=refused)


def _one(host: Host, request: Callable[[Any], Any]) -> tuple[Any]:
    with engine_errors(host, "ask the engine"):
        return (request(host.docker),)


def _says(answers: Answers, what: Callable[[HostView], bool]) -> bool:
    """Whether its engine says that of itself."""
    try:
        return what(HostView(answers))
    except NotSeen:
        return False


def _script(host: Host, answers: Answers, probes: Iterable[Probe]) -> Answers:
    mark, command = script.command(_root(answers), words(probes))
    began = time.time()

    def run() -> str:
        return host.run(command, timeout=script.SECONDS, spare=True).stdout

    printed = within(script.SECONDS + _SPARE_SECONDS, run)
    took = time.time() - began
    if isinstance(printed, ClusterlabError):
        why = printed.message.removeprefix(f"{host.name}: ")
        if not host.counts["commands"]:
            return replace(answers, unreachable=why)
        return replace(answers, no_script=why)
    if printed is None:
        return replace(answers, unreachable=f"no command completes there within {script.SECONDS + _SPARE_SECONDS:g} s")
    return replace(answers, parts=script.split(printed, mark), asked_at=began, round_trip=took)


def _root(answers: Answers) -> str:
    """Where its engine keeps its state."""
    try:
        return HostView(answers).info.text("DockerRootDir", default=ROOT)
    except NotSeen:
        return ROOT


def _probes(cluster: Cluster) -> dict[str, list[Probe]]:
    """What each host is to reach.

    The Swarm's ports and the ingress sandboxes of its peers, and its NFS servers.
    """
    found: dict[str, list[Probe]] = {}
    for host in cluster.engines():
        try:
            found[host.name] = [*cluster.peer_probes(host), *cluster.nfs_probes(host)]
        except NotSeen:
            found[host.name] = []
    return found
