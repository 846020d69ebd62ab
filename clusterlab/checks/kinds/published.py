"""published: a service answers at its port on the nodes.

It is probed from another host where there is one.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from clusterlab.model.base import HostsAndRoles, Issue, Model
from clusterlab.model.kinds import Touched
from clusterlab.model.lab import Lab
from clusterlab.model.probes import Port
from clusterlab.model.problems import Problem
from clusterlab.model.source import KeyPath
from clusterlab.model.validate.files import Files, PlayFile
from clusterlab.model.validate.places import named_docker_hosts
from clusterlab.model.validate.probes import unknown_service
from clusterlab.parallel import parallel, results_of
from clusterlab.results import Link

from ..answerer import answerer, sockets_of
from ..batch import HERE, Job, ask_all, released
from ..finding import Finding, finding, unasked
from ..kind import CheckKind
from ..manual.line import Line, ends
from ..manual.where import Where
from ..place import ProbeError, WrongAnswer
from ..places import Places
from ..swarm_task import Service, outside, service_of

_PORTS = "{{range .Endpoint.Ports}}{{println .PublishMode .Protocol .PublishedPort}}{{end}}"
_HINTS = {
    "ingress": "refused: no task listens on the target port; timed out: UDP 4789 or 7946 between the nodes, "
    "IPVS, or a firewall; `docker service inspect --format '{{json .Endpoint.Ports}}'` shows what is published",
    "host": "refused: the task does not listen on the target port, or on 127.0.0.1 alone; a host port exists only "
    "where a task is",
}
_ANSWERER_HINT = (
    "something other than the service answers there: `iptables -t nat -S` shows where connections go (Docker's chains "
    "DOCKER and DOCKER-INGRESS must come first), `ss -ltnp 'sport = :{port}'` what listens on the node"
)
_RUNNING = "docker service ps --filter desired-state=running --format '{{.CurrentState}}'"


class PublishedProbe(Model):
    """A service must publish a TCP port and answer at it.

    It is probed from another Docker host.

    A connection is held open until the hosts have listed theirs: with `host` a task on the node must have it, and
    with `ingress` any task. Where there is no other host, one asks itself, and what is found says so.
    """

    service: str
    port: Port = Field(description="as published")
    mode: Literal["ingress", "host"] = Field(
        default="ingress", description="ingress: every node answers; host: each node with a task"
    )
    nodes: HostsAndRoles = Field(
        default_factory=list, description="with ingress: only these; default: all of the Swarm"
    )

    def issues(self) -> Iterator[Issue]:
        if self.mode == "host" and self.nodes:
            yield Issue(("nodes",), "with mode: host, the nodes with a task are probed", "Leave it out.", key=True)


class Published(CheckKind[PublishedProbe]):
    name = "published"
    model = PublishedProbe

    def problems(self, files: Files, file: PlayFile, path: KeyPath, probe: PublishedProbe) -> Iterator[Problem]:
        if probe.service not in file.play.known_services:
            yield unknown_service(file, (*path, "service"), probe.service)
        yield from named_docker_hosts(files, file, (*path, "nodes"), probe.nodes)

    def touches(self, probe: PublishedProbe) -> Touched:
        return Touched(services=frozenset({probe.service}))

    def ask(self, probe: PublishedProbe, places: Places) -> list[Finding]:
        """One finding for each node: one command on each host that asks.

        Raises WrongAnswer when the service does not run, or does not publish the port.
        """
        service = service_of(probe.service, places)
        target = _target_port(service, probe)
        lab, hosts = places.lab, places.lab.inventory.hosts
        nodes = _nodes(probe, lab)
        findings = []
        if probe.mode == "host":
            there = {task.host: task for task in service.tasks}
            nodes = [host for host in hosts if host in there]
            missing = sorted(there.keys() - hosts.keys())
            findings = [unasked(one, _wanted(probe, one, lab), outside(there[one].name, one)) for one in missing]
        job = {node: Job(HERE, "held", str(hosts[node].address), probe.port) for node in nodes}
        asking = {node: _other(node, lab) for node in nodes}
        sources = sorted(set(asking.values()))
        jobs = {source: [job[node] for node in nodes if asking[node] == source] for source in sources}
        answers = results_of(parallel(lambda source: ask_all(source, jobs[source], places), sources, name="published"))
        met = dict(zip(sources, answers, strict=True))
        with released({source: met[source].values() for source in sources}, places):
            opened = [node for node in nodes if met[asking[node]][job[node]].reached]
            sockets = sockets_of(opened, service.tasks if opened else (), places)
        for node in nodes:
            found, wanted = met[asking[node]][job[node]], _wanted(probe, node, lab)
            holds, said = found.reached, found.found
            if found.reached:
                try:
                    who = answerer(node, probe.port, target, found, sockets, on_node=probe.mode == "host")
                except ProbeError as error:
                    link = Link(asking[node], node, f"port {probe.port}", True, None)
                    findings.append(unasked(asking[node], wanted, error, [link]))
                    continue
                holds, said = who.holds, f"{found.found}, {who.found}"
            findings.append(
                finding(
                    asking[node],
                    job[node].typed(),
                    holds=holds,
                    wanted=wanted,
                    found=f"{node}: {said}",
                    hint=_HINTS[probe.mode] if not found.reached else _ANSWERER_HINT.format(port=probe.port),
                    links=[Link(asking[node], node, f"port {probe.port}", True, holds, said)],
                )
            )
        return findings

    def manual(self, probe: PublishedProbe, where: Where) -> Iterator[Line]:
        listed = f"docker service inspect --format {shlex.quote(_PORTS)} {probe.service}"
        seen = f"{probe.mode} tcp {probe.port}"
        yield Line(where.manager, listed, f"a line {seen}", f"{listed} | grep -qxF {shlex.quote(seen)}")
        running = f"{_RUNNING} {probe.service}"  # with ingress a port also opens where no task is left behind it
        yield Line(where.manager, running, "a line Running", f"{running} | grep -q ^Running")
        there = ""  # the tasks that are known to be on one of the nodes
        for node in _nodes(probe, where.lab):
            address = str(where.lab.inventory.hosts[node].address)
            command = Job(HERE, "tcp", address, probe.port).typed()
            proof = ends(command)
            if probe.mode == "host":
                listed = (
                    f"docker service ps --filter desired-state=running --filter node={node} --quiet {probe.service}"
                )
                has = where.looked_up(where.manager, f"tasks of {probe.service} on {node}", listed)
                yield from where.taken()
                there += f"${has.strip('@')}"
                proof = f'[ -z "${has.strip("@")}" ] || {proof}'
            yield Line(_other(node, where.lab), command, _wanted(probe, node, where.lab), proof)
        if there:
            placed = f"docker service ps --filter desired-state=running {probe.service}"
            yield Line(where.manager, placed, "a task on one of these nodes", f'[ "{there}" ]')


KIND = Published()


def _nodes(probe: PublishedProbe, lab: Lab) -> list[str]:
    return lab.expand(probe.nodes) if probe.nodes else lab.inventory.swarm_hosts


def _other(node: str, lab: Lab) -> str:
    """The host that asks a node.

    The next Docker host, so that the port is reached over the LAN.
    """
    hosts = lab.inventory.docker_hosts
    return hosts[(hosts.index(node) + 1) % len(hosts)] if node in hosts else hosts[0]


def _wanted(probe: PublishedProbe, node: str, lab: Lab) -> str:
    where = "where a task is" if probe.mode == "host" else "on every node"
    asking = "; probed from itself, since there is no other Docker host" if _other(node, lab) == node else ""
    return f"port {probe.port} of {probe.service} is open on {node}, as {where}{asking}"


def _target_port(service: Service, probe: PublishedProbe) -> int:
    """The port in the tasks.

    Something else may hold the port, such as sshd: the managers must report it.
    """
    reported = (service.report.get("Endpoint") or {}).get("Ports") or []
    found = {
        f"{one.get('PublishMode', 'ingress')} {one.get('Protocol', 'tcp')} {one.get('PublishedPort', 0)}": one
        for one in reported
    }
    published = found.get(f"{probe.mode} tcp {probe.port}")
    if published is None:
        raise WrongAnswer(
            f"{service.name} does not publish port {probe.port} (TCP, mode {probe.mode}): "
            f"it publishes {', '.join(found) or 'nothing'}",
            command=f"docker service inspect --format {shlex.quote(_PORTS)} {service.name}",
            remedy=f"publish it: `docker service update --publish-add` for {service.name}, or in its stack file",
        )
    return int(published.get("TargetPort") or probe.port)
