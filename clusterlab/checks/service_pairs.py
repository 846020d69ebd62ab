"""Services that are asked for from the tasks of others.

What the kinds about pairs of services share.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pydantic import Field

from clusterlab.docker_labels import SERVICE
from clusterlab.model.base import Model, Strings
from clusterlab.model.kinds import Touched
from clusterlab.model.problems import Problem
from clusterlab.model.source import KeyPath
from clusterlab.model.validate.files import Files, PlayFile, item
from clusterlab.model.validate.probes import unknown_service
from clusterlab.parallel import parallel, results_of

from .batch import Job, Met, ask_all
from .kind import CheckKind
from .manual.where import Where
from .network import entering
from .places import Places
from .swarm_task import Service, Task, outside, pids_of, service_of


class PairsProbe(Model):
    """A service, asked for from the tasks of services."""

    service: str
    from_: Strings = Field(alias="from", min_length=1, description="services: one task of each on every node probes")


P = TypeVar("P", bound=PairsProbe)
JOINED = r"sed -nE 's,/.*,,; s,^([0-9a-z]+) ([0-9a-f.:]+)$,\1/\2,p' | sort -u"
"""Shell that prints NETWORK/ADDRESS for each line "NETWORK ADDRESS/LENGTH" that has an address."""


@dataclass(frozen=True)
class Asked:
    """A probe that a task carries out, about an address or name of a service."""

    source: Task
    job: Job
    about: str  # for a sentence, such as "port 80 of shop_api.1"

    def link_how(self) -> str:
        return str(self.job) if self.job.kind != "dns" else ""


class PairsKind(CheckKind[P]):
    """A kind about a service and the tasks of other services."""

    def problems(self, files: Files, file: PlayFile, path: KeyPath, probe: P) -> Iterator[Problem]:
        """Services that the play neither creates nor lists as external."""
        known = file.play.known_services
        if probe.service not in known:
            yield unknown_service(file, (*path, "service"), probe.service)
        for index, name in enumerate(probe.from_):
            if name not in known:
                yield unknown_service(file, item(file.document, (*path, "from"), index), name)

    def touches(self, probe: P) -> Touched:
        return Touched(services=frozenset({probe.service, *probe.from_}))


def services_of(probe: PairsProbe, places: Places) -> tuple[Service, list[Task]]:
    """The service, and the tasks that ask: the first of each service on each host."""
    names = list(dict.fromkeys([probe.service, *probe.from_]))
    found = dict(
        zip(names, results_of(parallel(lambda name: service_of(name, places), names, name="tasks")), strict=True)
    )
    sources = {(name, task.host): task for name in probe.from_ for task in reversed(found[name].tasks)}
    return found[probe.service], sorted(sources.values(), key=str)


def carry_out(asked: Sequence[Asked], places: Places) -> Mapping[Asked, Met]:
    """All probes: one command for each host that asks.

    Raises NoAnswer for a host that is not in the inventory.
    """
    sources = {one.source.host: one.source for one in asked}
    for host, task in sources.items():
        if host not in places.lab.inventory.hosts:
            raise outside(task.name, host)
    hosts = sorted(sources)
    jobs = {host: [one.job for one in asked if one.source.host == host] for host in hosts}
    answers = results_of(parallel(lambda host: ask_all(host, jobs[host], places), hosts, name="pairs"))
    met = dict(zip(hosts, answers, strict=True))
    return {one: met[one.source.host][one.job] for one in asked}


def from_tasks_of(services: Sequence[str], host: str, command: str, where: Where) -> str:
    """A shell loop that runs `command` for each task of services on a host.

    The task's process is `$pid`.

    It fails when Docker does, and when a manager places a task on the host of which nothing is there: the nodes are
    looked up, which fails for a service without tasks.
    """
    lines = ["all="]
    for name in services:
        running = f"docker service ps --filter desired-state=running --format '{{{{.Node}}}}' {shlex.quote(name)}"
        nodes = where.looked_up(where.manager, f"nodes of {name}", f"{running} | sort -u | grep .").strip("@")
        lines.append(f"pids=$({pids_of(shlex.quote(name))}) || exit 1")
        spaced = f"""$(echo "${nodes}" | tr '\\n' ' ')"""
        lines.append(f'[ -n "$pids" ] || case " {spaced}" in "  "|*" {host} "*) exit 1;; esac')
        lines.append('all="$all $pids"')
    return "\n".join(["(", *lines, f"for pid in $all; do\n{command} || exit 1\ndone", ")"])


def printed_by(loop: str, then: str) -> str:
    """What a loop over tasks prints, through another command.

    It fails when the loop does.
    """
    return f'found=$( {loop} ) && echo "$found" | {then}'


def addresses_of(service: str, where: Where) -> str:
    """A token for the addresses of a service's tasks.

    Without those on the ingress network.
    """
    each = (
        '{{range .NetworksAttachments}}{{if ne .Network.Spec.Name "ingress"}}{{range .Addresses}}{{println .}}{{end}}'
    )
    ids = shlex.join(["docker", "service", "ps", "--quiet", "--filter", "desired-state=running", service])
    command = f"docker inspect --format '{each}{{{{end}}}}{{{{end}}}}' $({ids}) | cut -d / -f 1 | sort -u"
    return where.looked_up(where.manager, f"addresses of {service}", command)


def by_network_of(service: str, where: Where) -> str:
    """Tokens for the addresses of a service's tasks, each as NETWORK/ADDRESS with the id of the network.

    Without those on the ingress network. The managers know none of macvlan networks, so each node is asked, too.
    """
    given = (
        "{{range .NetworksAttachments}}{{$network := .Network}}"
        '{{if ne $network.Spec.Name "ingress"}}{{range .Addresses}}{{println $network.ID .}}{{end}}{{end}}{{end}}'
    )
    ids = shlex.join(["docker", "service", "ps", "--quiet", "--filter", "desired-state=running", service])
    command = f"docker inspect --format '{given}' $({ids}) | {JOINED}"
    tokens = [where.looked_up(where.manager, f"addresses of {service} by network", command)]
    own = (
        "{{range $name, $at := .NetworkSettings.Networks}}"
        '{{if ne $name "ingress"}}{{println $at.NetworkID $at.IPAddress}}{{end}}{{end}}'
    )
    ids = f"docker ps --quiet --filter label={SERVICE}={shlex.quote(service)}"
    listed = f"ids=$({ids}) && {{ [ -z \"$ids\" ] || docker inspect --format '{own}' $ids; }}"
    for host in where.lab.inventory.swarm_hosts:
        what = f"addresses of {service} by network on {host}"
        tokens.append(where.looked_up(host, what, printed_by(listed, JOINED)))
    return " ".join(tokens)


def ports_of(service: str, where: Where) -> list[str]:
    """Tokens for the TCP ports on which tasks listen on all addresses, by host."""
    sockets = f"{' '.join(entering('$pid'))} ss -Hltn"
    listing = f"{sockets} | awk '{{print $4}}' | grep -vE '^(127|\\[::1)' | sed 's/.*://'"
    return [
        where.looked_up(
            host,
            f"ports of {service} on {host}",
            printed_by(from_tasks_of([service], host, listing, where), "sort -un"),
        )
        for host in where.lab.inventory.swarm_hosts
    ]
