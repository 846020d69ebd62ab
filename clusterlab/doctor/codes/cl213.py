"""CL213: tasks that fail again and again."""

from __future__ import annotations

from collections import defaultdict

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, Severity
from clusterlab.doctor.tasks import Failure, recent_failures

_MANY = 3


def _find(cluster: Cluster) -> Found:
    groups: dict[str, list[Failure]] = defaultdict(list)
    for one in recent_failures(cluster):
        groups[one.service].append(one)
    for service, failures in groups.items():
        slots = [one.slot for one in failures]
        worst = max(slots.count(slot) for slot in slots)
        if worst < _MANY:
            continue
        newest = failures[0]
        exit_code = f" (exit code {newest.exit})" if newest.exit else ""
        yield CODE.finding(
            service,
            f"service {service}: a task failed {worst} times within 10 minutes: {newest.error}{exit_code}",
            [one.seen(cluster.manager.name) for one in failures[:5]],
            [Fix("", f"docker service logs --tail 50 {service}")],
        )


CODE = Diagnosis(
    code="CL213",
    title="Tasks fail again and again",
    severity=Severity.ERROR,
    effect="The Swarm restarts the task each time; the service seems to run for moments.",
    detection="Three failures of one task's slot within ten minutes.",
    guard="The history keeps few tasks (--task-history-limit): with a limit below 3 it is not seen. "
    "Tasks whose node no longer meets their constraints are moved, and did not fail.",
    remedy="The log of the service says why; errors of volumes and images have codes of their own.",
    needs_swarm=True,
    cluster=_find,
)
