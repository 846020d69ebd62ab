"""What a stack survives, in sentences that people act on.

What is away, for how long, when, and because of what.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from clusterlab.model import Lab
from clusterlab.results import Evidence, Outcome, worst
from clusterlab.stacks.advice.on_lab import NodeFacts, matching
from clusterlab.stacks.advice.volumes import is_per_node, written_volumes
from clusterlab.stacks.constraints import Node
from clusterlab.stacks.stack import Service, Stack

from .of_stack import StackDrill, label, servers
from .run import Drilled


def with_data(drill: StackDrill, drilled: Drilled) -> Drilled:
    """The drill, failed too when a service went on without its data.

    With the volume of another node.
    """
    lost = list(_without_data(drill, drilled))
    if not lost or drilled.result.outcome not in (Outcome.PASS, Outcome.FAIL):
        return drilled
    result = drilled.result
    found = replace(
        result, outcome=worst([result.outcome, Outcome.FAIL]), evidence=(*result.evidence, *(one for _, one in lost))
    )
    return replace(drilled, result=found)


def sentences(lab: Lab, drills: Sequence[tuple[StackDrill, Drilled]]) -> list[str]:
    """How many of its drills a stack survives.

    And then a sentence for everything that was away.
    """
    judged = [(drill, one) for drill, one in drills if one.result.outcome in (Outcome.PASS, Outcome.FAIL)]
    if not drills:
        return []
    name = drills[0][0].stack.name
    survived = sum(one.result.outcome is Outcome.PASS for _, one in judged)
    first = f"{name} survives {survived} of {len(judged)} drills" if judged else f"{name}: no drill was carried out"
    if len(judged) < len(drills):
        first += f"; {len(drills) - len(judged)} not carried out"
    return [first, *(sentence for drill, one in judged for sentence in _of_drill(lab, drill, one))]


def _of_drill(lab: Lab, drill: StackDrill, drilled: Drilled) -> Iterator[str]:
    without_data = dict(_without_data(drill, drilled))
    for service in drill.stack.services.values():
        away = drilled.away.get(label(service.name), 0.0)
        if service.name in without_data:
            yield f"{service.name} goes on without its data when {drill.when}: {without_data[service.name].found}"
        elif away > 0:
            because = reason(lab, drill.stack, service, drill.host, _before(drill, drilled, service))
            yield f"{service.name} is away for {away:.0f} s when {drill.when}, because {because}"
        else:
            port = drilled.away.get(_port_label(drilled, service.name), 0.0)
            if port > 0:
                yield f"the port of {service.name} is away for {port:.0f} s when {drill.when}, while its tasks run"


def _port_label(drilled: Drilled, service: str) -> str:
    prober = f"{label(service).removesuffix(' anywhere')}-port"
    return next((stream.pool for stream in drilled.plan.streams if stream.subject == prober), "")


def reason(lab: Lab, stack: Stack, service: Service, host: str, before: Sequence[str]) -> str:
    """Why a service was away when a host was taken away, "" for none.

    `before` are the hosts that ran its tasks.
    """
    served = [one for one in _volumes(service) if _serves(lab, stack, host, one)]
    if served:
        return f"its volume {served[0]} is on {host}"
    if not before:
        return "its tasks were elsewhere, and the timeline shows when it was"
    local = [one for one in _volumes(service) if is_per_node(stack, one)]
    allowed = [one for one in _nodes(lab) if one.node.hostname in lab.expand(["active_node"])]
    may = [one.node.hostname for one in matching(service, allowed)]
    if host in before and may == [host]:
        rules = " and ".join(one.value for one in service.deploy.constraints)
        if local:
            return f"its volume {local[0]} is local to {host}, and {rules or 'no other node'} keeps it there"
        return f"{rules} allows {host} alone" if rules else f"no other node than {host} may run tasks"
    managers = lab.inventory.with_role("swarm_manager")
    if [host] == managers and host in before:
        return f"{host} is the only manager: without it the Swarm starts no other task"
    if host in before and set(before) == {host}:
        tasks = "it has one task" if len(before) == 1 and service.tasks == 1 else "all its tasks ran there"
        return f"{tasks}, and another had to be started"
    if service.tasks == 1:
        return "it has one task, and another had to be started"
    return "not all of its tasks were where others remain"


def _volumes(service: Service) -> list[str]:
    return [mount.source for mount in written_volumes(service)]


def _serves(lab: Lab, stack: Stack, name: str, volume: str) -> bool:
    host = lab.inventory.hosts.get(name)
    return host is not None and bool({name, str(host.address)} & set(servers(stack, volume)))


def _nodes(lab: Lab) -> Iterator[NodeFacts]:
    """The nodes of the Swarm as the inventory has them."""
    for name in lab.inventory.swarm_hosts:
        host = lab.inventory.hosts[name]
        role = "manager" if "swarm_manager" in host.roles else "worker"
        yield NodeFacts(Node(hostname=name, address=str(host.address), role=role, labels=host.labels))


def _before(drill: StackDrill, drilled: Drilled, service: Service) -> tuple[str, ...]:
    first = drilled.placements[0].hosts if drilled.placements else {}
    return first.get(drill.stack.scoped(service.name), ())


def _without_data(drill: StackDrill, drilled: Drilled) -> Iterator[tuple[str, Evidence]]:
    """Services that ran where they had not run before.

    With a volume that is local to each node.
    """
    for service in drill.stack.services.values():
        local = [one for one in _volumes(service) if is_per_node(drill.stack, one)]
        before = _before(drill, drilled, service)
        if not local or not before or drill.host not in before or service.tasks is None:
            continue
        later = {host for one in drilled.placements for host in one.hosts.get(drill.stack.scoped(service.name), ())}
        if new := sorted(later - set(before)):
            found = f"it runs on {', '.join(new)} with another volume {local[0]}: its data is local to {drill.host}"
            yield service.name, Evidence(service.name, "", f"{service.name} keeps its data", found, holds=False)
