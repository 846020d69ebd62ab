"""CL301: networks that overlap."""

from __future__ import annotations

from ipaddress import IPv4Network

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Finding, Fix, NotSeen, Seen, Severity
from clusterlab.doctor.host_view import HostView
from clusterlab.doctor.sections import ROUTES

_OWN = ("docker", "br-", "veth", "vxlan", "lo")


def _find(host: HostView, cluster: Cluster) -> Found:
    subnets = []
    for network in host.networks():
        if network.text("Driver", default="") in ("overlay", "bridge"):
            for config in network.items("IPAM", "Config"):
                if (text := config.text("Subnet", default="")) and ":" not in text:
                    subnets.append((network.text("Name"), network.text("Driver"), _network(text)))
    for at, (name, driver, subnet) in enumerate(subnets):
        for other, other_driver, elsewhere in subnets[at + 1 :]:
            if subnet.overlaps(elsewhere) and not (driver == other_driver == "overlay"):
                yield _overlap(host, name, subnet, f"network {other} ({elsewhere})")
        for route in host.read(ROUTES):
            outside = not route.device.startswith(_OWN) and route.network.prefixlen > 0
            if outside and subnet.overlaps(route.network):
                yield _overlap(host, name, subnet, f"the route to {route.network} through {route.device}")


def _overlap(host: HostView, name: str, subnet: IPv4Network, other: str) -> Finding:
    return CODE.finding(
        f"{host.name} {name}",
        f"{host.name}: network {name} ({subnet}) overlaps {other}",
        [
            Seen(host.name, f"docker network inspect {name}", "a subnet of its own", str(subnet)),
            Seen(host.name, "ip route; docker network ls", "", other),
        ],
        [
            Fix(
                "",
                f"recreate {name} with --subnet; for all new ones: docker swarm init --default-addr-pool, and "
                "default-address-pools in daemon.json",
            )
        ],
        hosts=[host.name],
        consequences=("CL312",),
    )


def _network(text: str) -> IPv4Network:
    try:
        return IPv4Network(text, strict=False)
    except ValueError:
        raise NotSeen("", f"a subnet has an unexpected form: {text}") from None


CODE = Diagnosis(
    code="CL301",
    title="A network overlaps another, or the LAN",
    severity=Severity.ERROR,
    effect="Containers on it reach neither the other network nor the hosts with these addresses: their packets stay "
    "inside.",
    detection="The subnets of overlays and bridges against each other, and against the routes of each host.",
    guard="Routes that the engine made itself.",
    remedy="Choose other subnets.",
    references=("https://github.com/moby/moby/issues/50011",),
    root=4,
    host=_find,
)
