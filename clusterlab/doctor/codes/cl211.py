"""CL211: a task is pending, with the reason per node."""

from __future__ import annotations

from collections import defaultdict

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.document import Document
from clusterlab.doctor.finding import Fix, Seen, Severity
from clusterlab.doctor.node import Node
from clusterlab.doctor.sections import CLOCK
from clusterlab.doctor.tasks import timestamp
from clusterlab.stacks.constraints import Constraint, parse_constraint
from clusterlab.stacks.constraints import Node as Place

YOUNG = 30.0
"""Seconds for which a task may be pending."""
_UNJUDGED = 300.0
"""Seconds for which it may be pending when the scheduler has not said why: a busy manager has not come to it."""


def _find(cluster: Cluster) -> Found:
    waiting: dict[str, list[Document]] = defaultdict(list)
    tasks, names = cluster.tasks(), cluster.service_names()
    now = cluster.manager.read(CLOCK)
    for task in tasks:
        limit = YOUNG if task.text("Status", "Err", default="") else _UNJUDGED
        pending = task.text("Status", "State") == "pending" and task.text("DesiredState") in ("running", "ready")
        if pending and now - timestamp(task) >= limit:
            waiting[names.get(task.text("ServiceID"), task.text("ServiceID"))].append(task)
    nodes = cluster.nodes()
    for service, found in waiting.items():
        task = found[0]
        error = task.text("Status", "Err", default="") or task.text("Status", "Message", default="")
        evidence, fix = [], list[Fix]()
        constraints = _constraints(task)
        for node in nodes:
            why, remedy = _obstacle(node, task, constraints, service) or (_reserved(task), [])
            evidence.append(Seen(cluster.name_of(node.id), "docker node inspect", "a node that takes the task", why))
            fix += [one for one in remedy if one not in fix]
        number = f"{len(found)} task{'s' if len(found) != 1 else ''}"
        yield CODE.finding(
            service,
            f"service {service}: no node takes {number}: {error or 'no reason given'}",
            [*evidence, Seen(cluster.manager.name, f"docker service ps --no-trunc {service}", "running", error)],
            fix,
        )


def _constraints(task: Document) -> list[Constraint | str]:
    """Those that can be judged, and the others as they are written."""
    found: list[Constraint | str] = []
    for text in task.words("Spec", "Placement", "Constraints"):
        try:
            found.append(parse_constraint(text))
        except ValueError:
            found.append(text)
    return found


def takes(node: Node, task: Document) -> bool:
    """Whether a node could take a task, as far as its constraints and reservations say."""
    return _obstacle(node, task, _constraints(task), "") is None


def _obstacle(
    node: Node, task: Document, constraints: list[Constraint | str], service: str
) -> tuple[str, list[Fix]] | None:
    """Why a node does not take a task, and what would change that; None when nothing is known to be in the way."""
    if node.state != "ready":
        return f"it is {node.state}", [Fix(node.hostname, "systemctl start docker")]
    if node.availability != "active":
        word = {"drain": "drained", "pause": "paused"}.get(node.availability, node.availability)
        return f"it is {word}", [Fix("", f"docker node update --availability active {node.hostname}")]
    place = _place(node)
    for one in constraints:
        if isinstance(one, str):
            return f"the constraint {one!r} cannot be judged", []
        if not one.known:
            text = f"{one.key} is not a key of a node: it must begin with node. or engine."
            guess = f"node.labels.{one.key} {'==' if one.equal else '!='} {one.value}"
            update = f"docker service update --constraint-rm '{one.key}{'==' if one.equal else '!='}{one.value}'"
            return text, [Fix("", f"{update} --constraint-add '{guess}' {service}")]
        if not one.matches(place):
            return _unmatched(one, node)
    reservations = task.at("Spec", "Resources", "Reservations")
    memory, cpus = reservations.number("MemoryBytes", default=0), reservations.number("NanoCPUs", default=0)
    smaller = [Fix("", f"docker service update --reserve-memory SIZE --reserve-cpu NUMBER {service}")]
    if memory > node.memory:
        return f"it has {node.memory / 2**20:.0f} MiB of memory; the task reserves {memory / 2**20:.0f}", smaller
    if cpus > node.cpus:
        return f"it has {node.cpus / 1e9:g} CPUs; the task reserves {cpus / 1e9:g}", smaller
    return None


def _reserved(task: Document) -> str:
    """What may keep a node from a task whose constraints match."""
    most = int(task.number("Spec", "Placement", "MaxReplicas", default=0))
    if most:
        return f"it may have {most} of these tasks, or what is free of it is reserved by others"
    return "its constraints match; what is free of it is reserved, or a port or plugin is missing"


def _unmatched(one: Constraint, node: Node) -> tuple[str, list[Fix]]:
    sign = "==" if one.equal else "!="
    prefix = "node.labels."
    if one.key.lower().startswith(prefix):
        label = one.key[len(prefix) :]
        has = f"label {label} is {node.labels[label]!r}" if label in node.labels else f"it has no label {label}"
        fix = Fix("", f"docker node update --label-add {label}={one.value} {node.hostname}") if one.equal else None
        return f"{has}, not {sign} {one.value}", [fix] if fix else []
    return f"{one.key} {sign} {one.value} does not match", []


def _place(node: Node) -> Place:
    system, architecture = node.platform
    role = "manager" if node.manager else "worker"
    return Place(
        node.id, node.hostname, node.address, role, system, architecture, dict(node.labels), dict(node.engine_labels)
    )


CODE = Diagnosis(
    code="CL211",
    title="A task is pending: no node takes it",
    severity=Severity.ERROR,
    effect="The service runs with fewer tasks than it should, or none. `docker service ps` shows one sentence for all "
    "nodes; here every node has its own reason.",
    detection="Tasks in state pending; the constraints, reservations, state and availability are judged for each node.",
    guard="Tasks younger than 30 s, or than 300 s as long as the Swarm gives no reason.",
    remedy="The commands of the finding: a label, another constraint, a smaller reservation, an active node.",
    needs_swarm=True,
    cluster=_find,
)
