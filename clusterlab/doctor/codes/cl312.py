"""CL312: a resolver inside a container network."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, Seen, Severity
from clusterlab.doctor.host_view import HostView
from clusterlab.doctor.sections import NAME_SERVERS


def _find(host: HostView, cluster: Cluster) -> Found:
    servers = host.read(NAME_SERVERS)
    for network in host.networks():
        for config in network.items("IPAM", "Config"):
            text = config.text("Subnet", default="")
            inside = [one for one in servers if text and ":" not in text and _holds(text, str(one))]
            for server in inside:
                name = network.text("Name")
                yield CODE.finding(
                    f"{host.name} {server}",
                    f"{host.name}: its name server {server} is inside network {name} ({text})",
                    [
                        Seen(host.name, "cat /etc/resolv.conf", "a server outside Docker's networks", str(server)),
                        Seen(host.name, f"docker network inspect {name}", "", text),
                    ],
                    [Fix("", f"recreate {name} with another --subnet, or correct the name server")],
                    hosts=[host.name],
                )


def _holds(subnet: str, address: str) -> bool:
    try:
        return IPv4Address(address) in IPv4Network(subnet, strict=False)
    except ValueError:
        return False


CODE = Diagnosis(
    code="CL312",
    title="The host's resolver lies inside a container network",
    severity=Severity.ERROR,
    effect="Containers on that network look for the server among themselves: outside names do not resolve.",
    detection="The name servers of the host against the subnets of its networks; behind systemd-resolved its own list.",
    remedy="Use another subnet.",
    host=_find,
)
