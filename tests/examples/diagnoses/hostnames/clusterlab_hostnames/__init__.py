"""SITE101: a host that calls itself something else than people do."""

from __future__ import annotations

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, Seen, Severity
from clusterlab.doctor.host_view import HostView
from clusterlab.doctor.sections import KERNEL


def _find(host: HostView, cluster: Cluster) -> Found:
    own = host.read(KERNEL).hostname.partition(".")[0]
    if own != host.name.partition(".")[0]:
        yield CODE.finding(
            host.name,
            f"{host.name} calls itself {own}",
            [Seen(host.name, "uname -n", host.name, own)],
            [Fix(host.name, f"hostnamectl set-hostname {host.name}")],
            hosts=[host.name],
        )


CODE = Diagnosis(
    code="SITE101",
    title="A host has another name than its inventory gives it",
    severity=Severity.WARNING,
    effect="`docker node ls`, logs and monitoring show a name that nobody can reach by SSH.",
    detection="The kernel's host name against the name in the inventory, up to the first dot.",
    remedy="Rename the host, or the entry of the inventory.",
    host=_find,
    every_host=True,
)
