"""CL212: a store of the Swarm that is large."""

from __future__ import annotations

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, Seen, Severity
from clusterlab.doctor.host_view import HostView
from clusterlab.doctor.sections import SIZES

_LARGE = 500 * 2**20


def _find(host: HostView, cluster: Cluster) -> Found:
    sizes = host.read(SIZES)
    for what, size in (("raft log", sizes.swarm), ("database of tasks", sizes.tasks)):
        if size > _LARGE:
            yield CODE.finding(
                f"{host.name} {what}",
                f"{host.name}: the {what} of the Swarm has {size / 2**20:.0f} MiB",
                [Seen(host.name, "du -s /var/lib/docker/swarm", "below 500 MiB", f"{size / 2**20:.0f} MiB")],
                [Fix("", "docker swarm update --task-history-limit 2 --snapshot-interval 1000")],
                hosts=[host.name],
            )


CODE = Diagnosis(
    code="CL212",
    title="The Swarm's store is large",
    severity=Severity.WARNING,
    effect="Managers start slowly, elections time out, and the disk fills.",
    detection="The size of the folders below swarm/.",
    remedy="Keep fewer old tasks; find the service whose tasks fail again and again.",
    references=("https://github.com/moby/moby/issues/34827",),
    host=_find,
)
