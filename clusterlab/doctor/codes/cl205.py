"""CL205: a data path address that the host does not have."""

from __future__ import annotations

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, Seen, Severity
from clusterlab.doctor.host_view import HostView
from clusterlab.doctor.sections import DATA_PATH


def _find(host: HostView, cluster: Cluster) -> Found:
    if not host.active:
        return
    address = host.read(DATA_PATH)
    if not address or host.has_address(address):
        return
    yield CODE.finding(
        host.name,
        f"{host.name} has {address} for its overlay traffic, which is not on its cards",
        [Seen(host.name, "ip addr", address, "it is on no card")],
        [Fix(host.name, "docker swarm leave, then docker swarm join with --data-path-addr")],
        hosts=[host.name],
        consequences=("CL111", "CL303", "CL305"),
    )


CODE = Diagnosis(
    code="CL205",
    title="The data path address of a node does not exist",
    severity=Severity.ERROR,
    effect="Overlay traffic goes nowhere, while control and gossip work.",
    detection="`DataPathAddr` of the engine's state against the addresses of the host.",
    remedy="Join again with an address that the host has.",
    root=4,
    needs_swarm=True,
    host=_find,
)
