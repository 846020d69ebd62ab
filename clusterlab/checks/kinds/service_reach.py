"""service_reach: tasks of services reach each port on which a service listens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pydantic import Field

from clusterlab.model.problems import listed
from clusterlab.results import Link

from ..batch import Job, Met
from ..finding import Finding, finding, nothing_to_probe
from ..listening import Socket, listening, on_loopback_alone, ports
from ..manual.line import Line
from ..manual.where import Where, with_variables
from ..network import entering
from ..owners import HINT as OWNERS_HINT
from ..places import Places
from ..service_pairs import (
    JOINED,
    Asked,
    PairsKind,
    PairsProbe,
    by_network_of,
    carry_out,
    from_tasks_of,
    ports_of,
    services_of,
)
from ..swarm_task import Service, Task, youngest

_SETTLED = 300
"""Seconds for which tasks have run that will not listen any more."""
_TYPED = "docker ps"
_NETWORKS = (
    "networks=$(docker inspect --format '{{.State.Pid}}{{range .NetworkSettings.Networks}} {{.NetworkID}}{{end}}' "
    "$(docker ps --quiet) | grep ^$pid' ') || exit 1"
)
"""Shell that looks up the ids of the networks of the container whose process is $pid."""
_HINT = (
    "no answer, or timed out: UDP 4789 between the hosts, their MTU, or a firewall; refused: it listens on another "
    "address; `docker network inspect --verbose NETWORK` shows what a node knows of the others' tasks"
)
_VIP_HINT = (
    "tasks are reached through the virtual address by IPVS on the node that asks: `lsmod | grep ip_vs`, and "
    "`docker service inspect --format '{{json .Endpoint}}'`"
)


class ServiceReachProbe(PairsProbe):
    """Reach each task of a service on the networks that both share.

    By ping, and each TCP port on which it listens.

    Where there is nothing to ask for, it is unsupported: a service that listens nowhere at its virtual address, or the
    only task of a service from itself. It may still begin to: that counts once its tasks have run for five minutes, or
    `within` is over.

    What listens is read from the kernel, and the host's tools ask: nothing has to be in the images.
    """

    virtual: bool = Field(
        default=False,
        description="ask for the ports at the service's virtual address instead; unsupported where none listens",
    )


class ServiceReach(PairsKind[ServiceReachProbe]):
    name = "service_reach"
    model = ServiceReachProbe

    def ask(self, probe: ServiceReachProbe, places: Places) -> list[Finding]:
        """One finding for each task that asks."""
        service, sources = services_of(probe, places)
        sockets = listening(service.tasks, places)
        jobs = {one: list(_jobs(one, service, sockets, probe.virtual)) for one in sources}
        hidden = on_loopback_alone({socket for mine in sockets.values() for socket in mine})
        # The only task of a service has nobody to ask; where others ask for it, nothing is said of that.
        asking = [one for one, mine in jobs.items() if mine or not _alone(one, service)] or sources
        reasons = {one: _nothing(one, service, probe.virtual, hidden) for one in asking if not jobs[one]}
        settled = any(reasons.values()) and youngest(service.tasks, places) >= _SETTLED
        met = carry_out([job for one in asking for job in jobs[one]], places)
        return [
            nothing_to_probe(str(one), _TYPED, wanted=_wanted(service, probe), found=why, settled=settled)
            if (why := reasons.get(one))
            else _finding(one, jobs[one], met, service, probe, hidden)
            for one in asking
        ]

    def manual(self, probe: ServiceReachProbe, where: Where) -> Iterator[Line]:
        if probe.virtual:
            each = "{{range .Endpoint.VirtualIPs}}{{println .NetworkID .Addr}}{{end}}"
            ingress = "docker network inspect --format '{{.Id}}' ingress"
            command = f"docker service inspect --format '{each}' {probe.service} | grep -v \"^$({ingress}) \""
            command += f" | {JOINED}"
            addresses = where.looked_up(where.manager, f"virtual addresses of {probe.service}", command)
        else:
            addresses = by_network_of(probe.service, where)
        listed_ports = " ".join(ports_of(probe.service, where))
        lines = []
        for host in where.lab.inventory.swarm_hosts:
            enter = " ".join(entering("$pid"))
            connect = f"timeout 4 {enter} bash -c '</dev/tcp/'$address/$port || exit 1"
            ping = "" if probe.virtual else f"{enter} ping -n -c 2 -W 2 $address || exit 1; asked=1; "
            connect = f"{connect}; asked=1"
            shared = "case $networks in *${each%%/*}*) ;; *) continue;; esac; address=${each#*/}"
            each = f"for each in {addresses}; do {shared}; {ping}for port in {listed_ports}; do {connect}; done; done"
            # Of nothing, everything could be said.
            each = f"""{_NETWORKS}; asked=; {with_variables(each).replace('"', "")}; [ "$asked" ]"""
            command = from_tasks_of(probe.from_, host, each, where)
            lines.append(Line(host, command, f"every address and port of {probe.service} answers", command))
        yield from [*where.taken(), *lines]


KIND = ServiceReach()


def _alone(source: Task, service: Service) -> bool:
    """Whether a task has nobody to ask but itself."""
    return list(service.tasks) == [source]


def _nothing(source: Task, service: Service, virtual: bool, hidden: Sequence[int]) -> str:
    """Why there is nothing to ask for, as far as the lab is concerned; "" where there should be something."""
    if not virtual:
        return f"nothing to reach: {source} is the only task of {service.name}" if _alone(source, service) else ""
    if not source.addresses.keys() & service.addresses.keys():
        return ""
    where = f"listens on loopback only: {', '.join(map(str, hidden))}" if hidden else "listens on no TCP port"
    return f"nothing to reach: {service.name} {where}"


def _wanted(service: Service, probe: ServiceReachProbe) -> str:
    if probe.virtual:
        return f"the ports of {service.name} are reached at its virtual address"
    return f"every task of {service.name} is reached by ping, and on each port on which it listens"


def _jobs(source: Task, service: Service, sockets: Mapping[Task, frozenset[Socket]], virtual: bool) -> Iterator[Asked]:
    if virtual:
        for network in source.addresses.keys() & service.addresses.keys():
            address = service.addresses[network]
            everywhere = {
                port for task in service.tasks for port in ports(sockets, task, task.addresses.get(network, ""))
            }
            for port in sorted(everywhere):
                yield Asked(source, Job(source.pid, "tcp", address, port), f"port {port} of {address}")
        return
    for task in service.tasks:
        if task == source:
            continue
        for network in sorted(source.addresses.keys() & task.addresses.keys()):
            address = task.addresses[network]
            yield Asked(source, Job(source.pid, "ping", address), f"{task}")
            for port in ports(sockets, task, address):
                yield Asked(source, Job(source.pid, "tcp", address, port), f"port {port} of {task}")


def _finding(
    source: Task,
    asked: Sequence[Asked],
    met: Mapping[Asked, Met],
    service: Service,
    probe: ServiceReachProbe,
    hidden: Sequence[int],
) -> Finding:
    """`hidden` are the ports of a service that listens on loopback only."""
    loopback = f"{service.name} listens on loopback only: {', '.join(map(str, hidden))}" if hidden else ""
    itself = [one for one in asked if met[one].itself and not probe.virtual]
    wrong = [one for one in asked if not met[one].reached] or itself
    numbers = sorted({one.job.port for one in asked if one.job.kind == "tcp"})
    if not asked:
        found = f"{source.service} and {service.name} share no network"
        if probe.virtual:
            found += f" on which {service.name} has a virtual address"
    elif wrong:
        found = "; ".join(f"{one.about}: {met[one].found}" for one in wrong)
        if wrong is itself:
            addresses = sorted({one.job.target for one in itself})
            found = f"{listed(addresses)} of {service.name} belongs to {source} itself, too"
    elif loopback and not probe.virtual:
        found = f"{loopback}; ping is answered"
    else:
        listens = f"ports {', '.join(map(str, numbers))}"
        found = f"{len(asked)} of {len(asked)} answer: ping and {listens}" if not probe.virtual else f"{listens} answer"
        if not numbers:
            found = f"{len(asked)} of {len(asked)} answer pings; {service.name} listens on no TCP port"
    links = [
        Link(
            f"service {source.service}",
            f"service {service.name}",
            one.link_how(),
            True,
            met[one].reached and one not in itself,
            met[one].found,
        )
        for one in asked
    ]
    shown = wrong or asked
    return finding(
        str(source),
        shown[0].job.typed() if shown else _TYPED,
        holds=bool(asked) and not wrong and (probe.virtual or not loopback),
        wanted=_wanted(service, probe),
        found=found,
        output="\n".join(f"{one.about}: {met[one].found}" for one in asked),
        hint=OWNERS_HINT if itself else _VIP_HINT if probe.virtual else _HINT,
        links=list(dict.fromkeys(links)),
    )
