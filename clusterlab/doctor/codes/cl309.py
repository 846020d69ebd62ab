"""CL309: a node without a routing mesh."""

from __future__ import annotations

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, Seen, Severity
from clusterlab.doctor.host_view import HostView
from clusterlab.doctor.sections import CLOCK

_YOUNG = 60.0
"""Seconds that an engine has to make the sandbox of a new ingress network, as after it joined a Swarm."""

_ADDRESSES = "nsenter --net=/run/docker/netns/ingress_sbox ip addr"
_RESTART = "systemctl restart docker"


def _find(host: HostView, cluster: Cluster) -> Found:
    if not host.active:
        return
    sandbox = host.namespaces().get("ingress_sbox")
    ingress = host.api("ingress")
    if not ingress.missing and 0 <= host.read(CLOCK) - ingress.time("Created") < _YOUNG:
        return
    asked, wanted, fix, why = _ADDRESSES, "the ingress sandbox, up", _RESTART, ""
    if ingress.mapping("Containers").get("ingress-sbox") is None:
        why = "its ingress network has no sandbox"
    elif sandbox is None:
        why = "the namespace ingress_sbox does not exist"
    else:
        card = next(
            (one for one in sandbox.cards if any(str(at.ip) == host.mesh_address for at in one.addresses)), None
        )
        if card is None:
            why = f"its sandbox does not have the address {host.mesh_address}"
        elif not card.up:
            why = f"{card.name} of its sandbox is down"
        elif sandbox.ipvs is False and _published(cluster):
            asked, wanted, fix = "ls /proc/net/ip_vs", "IPVS", f"modprobe ip_vs && {_RESTART}"
            why = "its kernel has no IPVS"
    if why:
        yield CODE.finding(
            host.name,
            f"{host.name} takes no part in the routing mesh: {why}",
            [Seen(host.name, asked, wanted, why)],
            [Fix(host.name, fix)],
            hosts=[host.name],
            consequences=("CL305", "CL303"),
        )


def _published(cluster: Cluster) -> bool:
    return any(
        port.text("PublishMode", default="ingress") == "ingress"
        for service in cluster.services()
        for port in service.items("Endpoint", "Ports")
    )


CODE = Diagnosis(
    code="CL309",
    title="A node takes no part in the routing mesh",
    severity=Severity.ERROR,
    effect="Published ports of services do not answer on this node; a connection may still open, since the "
    "engine listens itself.",
    detection="The ingress network and its sandbox: its namespace, its address, its state, IPVS where ports are "
    "published.",
    guard="Ingress networks that were made less than 60 s ago: a node that joins needs time for its sandbox.",
    remedy="Restart the engine; without IPVS, load the module ip_vs before.",
    references=("https://github.com/moby/moby/issues/40184",),
    root=4,
    passing=True,
    needs_swarm=True,
    host=_find,
)
