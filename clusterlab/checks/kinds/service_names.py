"""service_names: the names of a service resolve to its own addresses only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pydantic import Field

from clusterlab.model.base import Strings
from clusterlab.model.problems import listed

from ..batch import Job, Met
from ..finding import Finding, finding
from ..manual.line import Line
from ..manual.where import Where, with_variables
from ..network import entering
from ..places import Places
from ..service_pairs import (
    Asked,
    PairsKind,
    PairsProbe,
    addresses_of,
    carry_out,
    from_tasks_of,
    services_of,
)
from ..swarm_task import Service, Task

_HINT = (
    "names of tasks on other nodes come by gossip: TCP and UDP 7946 must be open between the hosts; an address of "
    "another service means that it answers to the same name on a network that both are on: rename one of them, or its "
    "alias"
)


class ServiceNamesProbe(PairsProbe):
    """Look a service up in Docker's DNS, from tasks of services that share a network."""

    names: Strings = Field(default_factory=list, description="its aliases; by default the service's own name")


class ServiceNames(PairsKind[ServiceNamesProbe]):
    name = "service_names"
    model = ServiceNamesProbe

    def ask(self, probe: ServiceNamesProbe, places: Places) -> list[Finding]:
        """One finding for each task that asks.

        Each name, and that of its tasks, must be the service's alone.
        """
        service, sources = services_of(probe, places)
        asked = [
            Asked(source, Job(source.pid, "dns", name), name)
            for source in sources
            for each in _names(probe)
            for name in (each, f"tasks.{each}")
        ]
        met = carry_out(asked, places)
        findings = []
        for source in sources:
            mine = [one for one in asked if one.source == source]
            wrong = [f"{one.about} {why}" for one in mine if (why := _wrong(one, met[one], service, places))]
            shown = next((one for one in mine if _wrong(one, met[one], service, places)), mine[0])
            findings.append(_finding(source, shown, wrong, mine, met, service))
        return findings

    def manual(self, probe: ServiceNamesProbe, where: Where) -> Iterator[Line]:
        addresses = with_variables(addresses_of(probe.service, where)).replace('"', "")
        lines = []
        for host in where.lab.inventory.swarm_hosts:
            for name in _names(probe):
                asked = f"{' '.join(entering('$pid'))} nslookup tasks.{name} 127.0.0.11"
                answers = f"{asked} | awk '/^Name:/ {{ answer = 1 }} answer && /^Address.*[.]/ {{ print $NF }}'"
                each = (
                    f'found=$({answers}); [ -n "$found" ] || exit 1\n'
                    f'for one in $found; do case " "$(echo {addresses})" " in *" $one "*) ;; *) exit 1;; esac; done'
                )
                command = from_tasks_of(probe.from_, host, each, where)
                wanted = f"tasks.{name} is the addresses of {probe.service} alone"
                lines.append(Line(host, command, wanted, command))
        yield from [*where.taken(), *lines]


KIND = ServiceNames()


def _names(probe: ServiceNamesProbe) -> list[str]:
    return probe.names or [probe.service]


def _wrong(asked: Asked, met: Met, service: Service, places: Places) -> str:
    """What is wrong with an answer.

    "" when it is the service's addresses on one network that both are on.
    """
    shared = sorted(asked.source.addresses.keys() & {key for task in service.tasks for key in task.addresses})
    if not met.answer or not met.answer.addresses:
        return met.found if shared else f"{met.found}: {asked.source.service} and {service.name} share no network"
    answers = set(met.answer.addresses)
    of_tasks = asked.about.startswith("tasks.") or not service.addresses
    expected = [_expected(service, network, of_tasks) for network in shared]
    if answers in expected:
        return ""
    known = set().union(*expected)
    if foreign := sorted(answers - known):
        return f"{met.found}, of which {listed(_owned(foreign, places))}"
    lacking = min((sorted(one - answers) for one in expected), key=len)
    return f"{met.found}, without {listed(lacking)}"


def _expected(service: Service, network: str, of_tasks: bool) -> set[str]:
    if not of_tasks and network in service.addresses:
        return {service.addresses[network]}
    return {task.addresses[network] for task in service.tasks if network in task.addresses}


def _owned(addresses: Sequence[str], places: Places) -> list[str]:
    """Addresses with the service that has them, as far as the managers know."""
    services, tasks = places.of_swarm(lambda engine: (engine.services(), engine.tasks()))  # type: ignore[no-untyped-call]
    owners: dict[str, str] = {}
    names = {}
    for service in services:
        names[service["ID"]] = service["Spec"]["Name"]
        for one in service.get("Endpoint", {}).get("VirtualIPs") or []:
            owners[str(one.get("Addr", "")).partition("/")[0]] = service["Spec"]["Name"]
    for task in tasks:
        for one in task.get("NetworksAttachments") or []:
            for address in one.get("Addresses") or []:
                owners.setdefault(str(address).partition("/")[0], names.get(task.get("ServiceID"), ""))
    return [f"{one} belongs to {owners.get(one) or 'something else'}" for one in addresses]


def _finding(
    source: Task, shown: Asked, wrong: Sequence[str], mine: Sequence[Asked], met: Mapping[Asked, Met], service: Service
) -> Finding:
    names = [one.about for one in mine]
    lines = [f"{one.about} {met[one].found}" for one in mine]
    return finding(
        str(source),
        shown.job.typed(),
        holds=not wrong,
        wanted=f"{listed(names)} are addresses of {service.name} alone",
        found="; ".join(wrong or lines),
        output="\n".join(lines),
        hint=_HINT,
    )
