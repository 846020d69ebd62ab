"""CL304: two endpoints with one address."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found, answers
from clusterlab.doctor.finding import Fix, Seen, Severity, listed
from clusterlab.doctor.host_view import HostView, container_name


def _find(cluster: Cluster) -> Found:
    owners: dict[tuple[str, str], set[str]] = defaultdict(set)
    names: dict[str, str] = {}
    found, missing = answers(cluster.members(), lambda host: list(_addresses(host, names)))
    yield from missing
    for host, addresses in found.items():
        for network, address, who in addresses:
            owners[network, address].add(f"{who} on {host}")
    for (network, address), owned in owners.items():
        if len(owned) > 1:
            name = names.get(network, network[:12])
            people = sorted(owned)
            yield CODE.finding(
                f"{address} on {name}",
                f"{address} on {name} belongs to {listed(people)}",
                [
                    Seen(
                        one.rpartition(" on ")[2],
                        "docker network inspect",
                        "an address of its own",
                        f"{one.rpartition(' on ')[0]}: {address}",
                    )
                    for one in people
                ],
                [
                    Fix(
                        people[-1].rpartition(" on ")[2],
                        f"recreate {people[-1].rpartition(' on ')[0]} (a task: "
                        "docker service update --force SERVICE; the ingress sandbox: systemctl restart docker)",
                    )
                ],
                hosts=sorted({one.rpartition(" on ")[2] for one in people}),
                consequences=("CL303",),
            )


def _addresses(host: HostView, names: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    """Network, address and owner of every endpoint on the overlays of a host."""
    overlays = {one.text("Id"): one.text("Name") for one in host.networks() if one.text("Driver") == "overlay"}
    names.update(overlays)
    endpoints: dict[str, tuple[str, str]] = {}  # network and container by address
    for container in host.running():
        for at in container.mapping("NetworkSettings", "Networks").values():
            network, address = at.text("NetworkID", default=""), at.text("IPAddress", default="")
            if network in overlays and address:
                endpoints[address] = network, container_name(container)
                yield network, address, container_name(container)
    for space in host.namespaces().values():
        for card in space.cards:
            held = {str(at.ip): at.network for at in card.addresses if at.network.prefixlen < at.max_prefixlen}
            if owned := [address for address in held if address in endpoints]:
                network, name = endpoints[owned[0]]
                more = [one for one in held if one not in owned and held[one] == held[owned[0]]]
                yield from ((network, one, name) for one in more)  # the engine does not know these
    if host.mesh_address:
        yield host.api("ingress").text("Id"), host.mesh_address, "the ingress sandbox"


CODE = Diagnosis(
    code="CL304",
    title="Two endpoints have one address",
    severity=Severity.ERROR,
    effect="Each of the two is reached at times; checks that look a name up and get an answer pass, and the wrong "
    "container answers.",
    detection="The addresses of all containers and ingress sandboxes on overlays, over all hosts.",
    remedy="Recreate one of the two.",
    references=("https://github.com/moby/moby/issues/36949",),
    root=5,
    needs_swarm=True,
    cluster=_find,
)
