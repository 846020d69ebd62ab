"""CL303: a node has a wrong or no forwarding entry for an endpoint of an overlay."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from clusterlab.docker_labels import SERVICE
from clusterlab.doctor.cluster import Cluster, once
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, NotSeen, Seen, Severity
from clusterlab.doctor.host_view import HostView, container_name
from clusterlab.doctor.sections import CLOCK, DATA_PATH
from clusterlab.doctor.sections.namespaces import Namespace

_YOUNG = 30.0


class Endpoint(NamedTuple):
    """An address of an overlay that a host really has."""

    network: str  # ID
    name: str
    service: str
    address: str
    mac: str


def _find(host: HostView, cluster: Cluster) -> Found:
    if not host.active:
        return
    spaces = [one for one in host.namespaces().values() if one.network]
    names = {one.text("Id"): one.text("Name") for one in host.networks()}
    placed = _placed(cluster)
    for peer in cluster.peers(host):
        known = placed[peer.name]
        if isinstance(known, NotSeen):
            yield known
            continue
        target, endpoints = known
        for endpoint in endpoints:
            space = next((one for one in spaces if endpoint.network.startswith(one.network)), None)
            if space is not None:  # without it this host has no endpoint on that network
                yield from _compared(host, peer, target, space, names.get(endpoint.network, space.network), endpoint)


def _compared(host: HostView, peer: HostView, target: str, space: Namespace, network: str, endpoint: Endpoint) -> Found:
    mac = space.neighbours.get(endpoint.address)
    goes_to = space.destinations.get(endpoint.mac, set())
    if mac == endpoint.mac and goes_to == {target}:
        return
    at = f"nsenter --net=/run/docker/netns/{space.name}"
    kept_alive = mac is None and space.learned.get(endpoint.address) == endpoint.mac and goes_to == {target}
    fix = [Fix(host.name, "systemctl restart docker")]
    if endpoint.service:
        fix.insert(0, Fix("", f"docker service update --force {endpoint.service}; if that does not help,"))
    yield CODE.finding(
        f"{host.name} {network} {endpoint.address}",
        f"{host.name} sends packets for {endpoint.name} ({endpoint.address} on {network}) to the wrong place or "
        f"nowhere",
        [
            Seen(host.name, f"{at} ip neigh", f"{endpoint.address} has {endpoint.mac}", mac or "no entry"),
            Seen(
                host.name, f"{at} bridge fdb show", f"{endpoint.mac} goes to {target}", ", ".join(goes_to) or "no entry"
            ),
            Seen(peer.name, "docker container inspect", "", f"{endpoint.address}, {endpoint.mac}"),
        ],
        fix,
        severity=Severity.WARNING if kept_alive else Severity.ERROR,
        hosts=[host.name, peer.name],
    )


@once
def _placed(cluster: Cluster) -> dict[str, tuple[str, list[Endpoint]] | NotSeen]:
    """Of every node, where packets for it must go, and its endpoints on overlays."""
    found: dict[str, tuple[str, list[Endpoint]] | NotSeen] = {}
    for host in cluster.members():
        try:
            found[host.name] = host.read(DATA_PATH) or host.address, list(_endpoints(host))
        except NotSeen as error:
            found[host.name] = error
    return found


def _endpoints(host: HostView) -> Iterator[Endpoint]:
    """Those that a host has on overlays: its containers, and its ingress sandbox."""
    overlays = {one.text("Id") for one in host.networks() if one.text("Driver") == "overlay"}
    now = host.read(CLOCK)
    for container in host.running():
        if now - container.number("Created") < _YOUNG:
            continue
        for at in container.mapping("NetworkSettings", "Networks").values():
            network = at.text("NetworkID", default="")
            address, mac = at.text("IPAddress", default=""), at.text("MacAddress", default="")
            if network in overlays and address and mac:
                service = container.texts("Labels").get(SERVICE, "")
                yield Endpoint(network, container_name(container), service, address, mac)
    ingress = host.api("ingress")
    sandbox = ingress.mapping("Containers").get("ingress-sbox")
    if sandbox is not None:
        address = sandbox.text("IPv4Address").partition("/")[0]
        yield Endpoint(ingress.text("Id"), "the ingress sandbox", "", address, sandbox.text("MacAddress"))


CODE = Diagnosis(
    code="CL303",
    title="A node has a wrong or no forwarding entry for an endpoint of an overlay",
    severity=Severity.ERROR,
    effect="One container cannot reach another on a certain node, while all others can: the node sends its packets to "
    "where it was before, or nowhere.",
    detection="The endpoints that each node really has (containers, ingress sandbox) against the permanent "
    "neighbours and "
    "forwarding entries of every other node that has the network. It is a warning while an entry that the kernel has "
    "learned still carries the traffic.",
    guard="Containers younger than 30 s. Networks that a node has not set up, because nothing there uses them.",
    remedy="Recreate the endpoint with `docker service update --force`, or restart the engine of the node that has the "
    "wrong entry.",
    references=("https://github.com/moby/moby/issues/52661",),
    passing=True,
    needs_swarm=True,
    host=_find,
)
