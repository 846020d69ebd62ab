"""service_apart: services that share no network do not reach each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from clusterlab.model.problems import listed
from clusterlab.results import Link

from ..batch import NEAR, Job, Met
from ..finding import Finding, finding
from ..listening import Socket, listening, ports
from ..manual.line import Line
from ..manual.where import Where, with_variables
from ..network import entering
from ..places import Places
from ..service_pairs import (
    Asked,
    PairsKind,
    PairsProbe,
    by_network_of,
    carry_out,
    from_tasks_of,
    services_of,
)
from ..swarm_task import Service, Task

_HINT = "something that must be kept away gets through: `docker service inspect` shows the networks of both"
_CONTROL_HINT = (
    "as long as the service does not answer at its own addresses, the silence that others get proves nothing"
)


class ServiceApartProbe(PairsProbe):
    """No address, port or name of a service may be reached from tasks of services.

    They ask over their networks in the Swarm: on the way out of a node, a router may answer for any address. As a
    control, each task of the service must reach itself, and each task that asks must resolve its own name.
    """


class ServiceApart(PairsKind[ServiceApartProbe]):
    name = "service_apart"
    model = ServiceApartProbe

    def ask(self, probe: ServiceApartProbe, places: Places) -> list[Finding]:
        """One finding for each task that asks, and one for the control."""
        service, sources = services_of(probe, places)
        sockets = listening(service.tasks, places)
        control = [one for task in service.tasks for one in _jobs(task, [task], sockets)]
        own = {source: Asked(source, Job(source.pid, "dns", source.service), source.service) for source in sources}
        foreign = {
            source: [*_jobs(source, service.tasks, sockets, near=True), _named(source, service)] for source in sources
        }
        met = carry_out([*control, *own.values(), *(one for mine in foreign.values() for one in mine)], places)
        findings = [_kept(source, foreign[source], met, service) for source in sources]
        return [*findings, _controlled(service, [*control, *own.values()], met)]

    def manual(self, probe: ServiceApartProbe, where: Where) -> Iterator[Line]:
        addresses = with_variables(by_network_of(probe.service, where)).replace('"', "")
        lines = []
        enter = " ".join(entering("$pid"))
        for host in where.lab.inventory.swarm_hosts:
            ping = f"! {enter} ping -n -c 2 -W 2 -I $card ${{each#*/}} || exit 1"
            # Without a card or an address nothing would be asked, and the loop pass.
            cards = f"asked=; for card in $({NEAR} /proc/$pid/net/route)"
            each = f'{cards}; do for each in {addresses}; do {ping}; asked=1; done; done; [ "$asked" ] || exit 1'
            command = from_tasks_of(probe.from_, host, each, where)
            lines.append(Line(host, command, f"no address of {probe.service} answers", command))
            own = f'{enter} ping -n -c 1 "$({enter} ip -o -4 address show eth0 | sed -E "s/.* inet ([0-9.]+).*/\\1/")"'
            command = from_tasks_of([probe.service], host, own, where)
            lines.append(Line(host, command, f"as a control: each task of {probe.service} answers itself", command))
        yield from [*where.taken(), *lines]


KIND = ServiceApart()


def _jobs(
    source: Task, targets: Sequence[Task], sockets: Mapping[Task, frozenset[Socket]], *, near: bool = False
) -> Iterator[Asked]:
    for task in targets:
        for address in sorted(task.addresses.values()):
            yield Asked(source, Job(source.pid, "ping", address, near=near), str(task))
            for port in ports(sockets, task, address):
                yield Asked(source, Job(source.pid, "tcp", address, port, near), f"port {port} of {task}")


def _named(source: Task, service: Service) -> Asked:
    return Asked(source, Job(source.pid, "dns", service.name), f"the name {service.name}")


def _kept(source: Task, mine: Sequence[Asked], met: Mapping[Asked, Met], service: Service) -> Finding:
    through = [one for one in mine if met[one].reached]
    shared = {key for task in service.tasks for key in task.addresses} & source.addresses.keys()
    found = "; ".join(f"{one.about}: {met[one].found}" for one in through)
    if shared:
        found = f"{source.service} and {service.name} share {len(shared)} networks" + (f"; {found}" if found else "")
    links = [
        Link(
            f"service {source.service}",
            f"service {service.name}",
            one.link_how(),
            False,
            met[one].reached,
            met[one].found,
        )
        for one in mine
        if one.link_how()
    ]
    return finding(
        str(source),
        (through or mine)[0].job.typed(),
        holds=not through and not shared,
        wanted=f"must not be: {service.name} is reached",
        found=found or f"none of {len(mine)} is reached: {listed(dict.fromkeys(met[one].found for one in mine))}",
        output="\n".join(f"{one.about}: {met[one].found}" for one in mine),
        hint=_HINT,
        links=list(dict.fromkeys(links)),
    )


def _controlled(service: Service, control: Sequence[Asked], met: Mapping[Asked, Met]) -> Finding:
    wrong = [one for one in control if not met[one].reached]
    found = "; ".join(f"{one.about}: {met[one].found}" for one in wrong)
    return finding(
        service.name,
        (wrong or control)[0].job.typed(),
        holds=not wrong,
        wanted=f"control: {service.name} answers itself, and the clients resolve their own names",
        found=found or f"{len(control)} of {len(control)} answer",
        output="\n".join(f"{one.about}: {met[one].found}" for one in control),
        hint=_CONTROL_HINT,
    )
