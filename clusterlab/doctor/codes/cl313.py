"""CL313: a name that resolves to other addresses on a node than its tasks have."""

from __future__ import annotations

from clusterlab.doctor.cluster import Cluster, once
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Finding, Fix, NotSeen, Seen, Severity, listed
from clusterlab.doctor.host_view import HostView
from clusterlab.doctor.sections import CLOCK, LOOKUPS
from clusterlab.doctor.tasks import Members, members, timestamp

YOUNG = 30.0
"""Seconds after a change for which nodes may still answer differently."""
_MANY = 20  # addresses that surely fit into one answer


def _find(host: HostView, cluster: Cluster) -> Found:
    if not host.active or not (wanted := list(cluster.lookups(host))):
        return
    answers, known = host.read(LOOKUPS), members(cluster)
    moving = _moving(cluster)
    for lookup, network, service in wanted:
        if service in moving:
            continue
        answer = answers.get(lookup)
        if answer is None:
            yield NotSeen(host.name, f"the name server of container {lookup.container[:12]} gave no answer")
            continue
        tasks, found = known[service, network], set(answer.addresses)
        if found <= tasks.possible and (tasks.certain <= found or (found and len(tasks.certain) > _MANY)):
            continue
        yield _differs(host, cluster, lookup.name, service, tasks, found, answer.code)


def _differs(
    host: HostView, cluster: Cluster, name: str, service: str, tasks: Members, found: set[str], code: str
) -> Finding:
    missing, odd = sorted(tasks.certain - found), sorted(found - tasks.possible)
    what = [f"{listed(missing)} is missing"] if missing else []
    what += [f"{listed(odd)} is not a task of it"] if odd else []
    return CODE.finding(
        f"{host.name} {service}",
        f"{host.name}: {name} resolves to other addresses than its tasks have: {', '.join(what)}",
        [
            Seen(host.name, f"nslookup {name} in a container", listed(tasks.certain), listed(found) or code or "none"),
            Seen(cluster.manager.name, f"docker service ps {service}", "", f"running at {listed(tasks.certain)}"),
        ],
        [Fix("", f"docker service update --force {service}"), Fix(host.name, "if it stays: systemctl restart docker")],
        hosts=[host.name],
    )


@once
def _moving(cluster: Cluster) -> set[str]:
    """Services that are being updated, or of which a task changed a moment ago."""
    now, names = cluster.manager.read(CLOCK), cluster.service_names()
    young = {
        names.get(task.text("ServiceID", default=""), "") for task in cluster.tasks() if now - timestamp(task) < YOUNG
    }
    updating = {
        one.text("Spec", "Name")
        for one in cluster.services()
        if one.text("UpdateStatus", "State", default="") in ("updating", "rollback_started")
    }
    return young | updating


CODE = Diagnosis(
    code="CL313",
    title="A name resolves differently on a node",
    severity=Severity.ERROR,
    effect="Containers on this node connect to tasks that are gone, or never reach some: the node missed what the "
    "others learned by gossip.",
    detection="`tasks.SERVICE`, asked of the engine's name server in one container per overlay and node, against the "
    "addresses of the running tasks.",
    guard="Services that are updated, or of which a task changed within the last 30 s.",
    remedy="Recreate the tasks, or restart the engine of the node.",
    references=("https://github.com/moby/moby/issues/53141",),
    passing=True,
    needs_swarm=True,
    host=_find,
)
