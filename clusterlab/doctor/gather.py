"""Query all hosts with at most six requests per engine and one command per host.

Probes take one more command.
"""

from __future__ import annotations

import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from clusterlab.errors import ClusterlabError
from clusterlab.parallel import parallel, results_of
from clusterlab.remote import Host
from clusterlab.remote.engine_errors import engine_errors
from clusterlab.resources.swarm_member import ROOT
from clusterlab.waiting import within

from . import script
from .answers import Answers, Part
from .cluster import GOSSIP, Cluster
from .finding import NotSeen
from .host_view import HostView
from .sections import HEARD, PROBING, SECTIONS
from .sections.heard import listen_words
from .sections.lookups import Lookup, lookup_words
from .sections.mountable import mount_words
from .sections.nfs_server import directory_words
from .sections.probes import Probe, words
from .sections.section import Section

ENGINE_SECONDS = 15.0
"""For all requests to one engine; a busy emulated machine needs several."""
ATTEMPTS = 3
"""How often probes are sent until all hosts have listened at the same time."""
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
_NAMES: Mapping[str, Callable[[Any], Any]] = {
    "configs": lambda api: [{"Spec": {"Name": one["Spec"]["Name"]}} for one in api.configs()],
    "secrets": lambda api: [{"Spec": {"Name": one["Spec"]["Name"]}} for one in api.secrets()],
}
"""What a stack may refer to besides: the names alone."""
_IMAGES: Mapping[str, Callable[[Any], Any]] = {
    "images": lambda api: [{"Id": one["Id"], "RepoDigests": one.get("RepoDigests")} for one in api.images()]
}


@dataclass(frozen=True)
class Asked:
    """A host to ask: whether an engine is expected there, its address, and whether it is to be in the Swarm."""

    name: str
    engine: bool = True
    address: str = ""
    swarm: bool = False


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


def names(hosts: Mapping[str, Host], answers: Mapping[str, Answers]) -> dict[str, Answers]:
    """The answers together with the names of the Swarm's configs and secrets."""
    try:
        manager = Cluster(answers).manager.name
    except NotSeen:
        return dict(answers)
    return {**answers, manager: _ask(hosts[manager], answers[manager], _NAMES)}


def images(hosts: Mapping[str, Host], answers: Mapping[str, Answers]) -> dict[str, Answers]:
    """The answers together with the images of all nodes, when these are of several kinds: digests compare them."""
    try:
        nodes = Cluster(answers).members()
        several = len({one.image_kind for one in nodes}) > 1
    except NotSeen:
        return dict(answers)
    if not several:
        return dict(answers)
    found = parallel(lambda one: _ask(hosts[one.name], one.answers, _IMAGES), nodes, name="host")
    return {**answers, **{one.host: one for one in results_of(found)}}


def scripts(hosts: Mapping[str, Host], answers: Mapping[str, Answers]) -> dict[str, Answers]:
    """The answers together with those of the fact script."""
    cluster = Cluster(answers)
    probes, lookups, directories = _probes(cluster), _lookups(cluster), _directories(cluster)
    reached = [one for one in answers.values() if not one.unreachable]

    def ask(one: Answers) -> Answers:
        return _script(
            hosts[one.host],
            one,
            probes=words(probes.get(one.host, [])),
            lookups=lookup_words(lookups.get(one.host, [])),
            directories=directory_words(directories.get(one.address, [])),
        )

    return {**answers, **{one.host: one for one in results_of(parallel(ask, reached, name="host"))}}


def _own(host: Host, wanted: Asked) -> Answers:
    answers = Answers(host.name, wanted.address, engine=wanted.engine, swarm=wanted.swarm)
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


def _script(host: Host, answers: Answers, **given: str) -> Answers:
    began = time.time()
    mark, printed = _run(host, SECTIONS, root=_root(answers), **given)
    took = time.time() - began
    if isinstance(printed, ClusterlabError):
        why = printed.message.removeprefix(f"{host.name}: ")
        if not host.counts["commands"]:
            return replace(answers, unreachable=why)
        return replace(answers, no_script=why)
    if printed is None:
        return replace(answers, unreachable=f"no command completes there within {script.SECONDS + _SPARE_SECONDS:g} s")
    return replace(answers, parts=script.split(printed, mark), asked_at=began, round_trip=took)


def _run(host: Host, sections: Sequence[Section[Any]], **given: str) -> tuple[str, str | ClusterlabError | None]:
    """The mark of a script, and what it printed; None when it did not end in time."""
    mark, command = script.command(sections, **given)

    def run() -> str:
        return host.run(command, timeout=script.SECONDS, spare=True).stdout

    return mark, within(script.SECONDS + _SPARE_SECONDS, run)


def probes_between(hosts: Mapping[str, Host], answers: Mapping[str, Answers]) -> dict[str, Answers]:
    """The answers together with what came of packets between all nodes, and of mounting volumes: all at once.

    While hosts did not listen at the same time, all are asked again, for longer. Of each host, the last attempt
    in which it listened counts.
    """
    cluster = Cluster(answers)
    probed = dict(answers)
    for attempt in range(1, ATTEMPTS + 1):
        token = secrets.token_hex(8)
        ask = partial(_probing, hosts, cluster, token, attempt)
        found = parallel(ask, cluster.members(), limit=max(1, len(answers)), name="host")
        for one in results_of(found):
            if attempt == 1 or not one.parts[HEARD.name].exit:
                probed[one.host] = one
        if not Cluster(probed).apart:
            break
    return probed


def _probing(hosts: Mapping[str, Host], cluster: Cluster, token: str, attempt: int, view: HostView) -> Answers:
    try:
        peers = [(one.name, one.address) for one in cluster.peers(view)]
        listen = listen_words(token, view.name, (GOSSIP, cluster.data_port), peers, attempt)
        volumes = mount_words(cluster.tries(view))
    except NotSeen as error:
        return _without_probes(view.answers, error.reason)
    began = time.monotonic()
    mark, printed = _run(hosts[view.name], PROBING, listen=listen, volumes=volumes)
    ended = time.monotonic()
    if not isinstance(printed, str):
        return _without_probes(view.answers, printed.message if printed else "the probes did not end in time")
    found = script.split(printed, mark)
    missing = {one.name: Part("", 1, "its output was cut off") for one in PROBING if one.name not in found}
    return replace(view.answers, parts={**view.answers.parts, **missing, **found}, probing=(began, ended))


def _without_probes(answers: Answers, why: str) -> Answers:
    return replace(answers, parts={**answers.parts, **{one.name: Part("", 1, why) for one in PROBING}})


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


def _lookups(cluster: Cluster) -> dict[str, list[Lookup]]:
    """The names that containers of each host are to look up."""
    found: dict[str, list[Lookup]] = {}
    for host in cluster.answering():
        try:
            found[host.name] = [lookup for lookup, _, _ in cluster.lookups(host)]
        except NotSeen:
            found[host.name] = []
    return found


def _directories(cluster: Cluster) -> dict[str, list[str]]:
    """The directories of NFS volumes, by the address of their server."""
    found: dict[str, list[str]] = defaultdict(list)
    for host in cluster.answering():
        try:
            for volume in host.volumes.values():
                if volume.is_nfs:
                    found[volume.server].append(volume.directory)
        except NotSeen:
            continue
    return found
