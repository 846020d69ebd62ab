"""CL311: macvlan networks that give out the same addresses."""

from __future__ import annotations

from collections import defaultdict

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found, answers
from clusterlab.doctor.finding import Fix, Seen, Severity, listed
from clusterlab.doctor.host_view import HostView


def _find(cluster: Cluster) -> Found:
    found, missing = answers(cluster.answering(), _ranges)
    yield from missing
    hosts: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, ranges in found.items():
        for network, given in ranges:
            hosts[network, given].append(name)
    for (network, given), names in hosts.items():
        if len(names) > 1:
            yield CODE.finding(
                network,
                f"network {network} gives out addresses of {given} on {listed(names)}, each from its beginning",
                [Seen(name, f"docker network inspect {network}", "a range of its own", given) for name in names],
                [Fix(name, f"recreate {network} with an --ip-range of its own") for name in names[1:]],
                hosts=names,
            )


def _ranges(host: HostView) -> list[tuple[str, str]]:
    return [
        (network.text("Name"), config.text("IPRange", default="") or config.text("Subnet", default=""))
        for network in host.networks()
        if network.text("Driver", default="") in ("macvlan", "ipvlan")
        for config in network.items("IPAM", "Config")
    ]


CODE = Diagnosis(
    code="CL311",
    title="Hosts give out the same addresses of the LAN",
    severity=Severity.ERROR,
    effect="Two containers on two hosts get one address: each engine counts for itself.",
    detection="macvlan and ipvlan networks of one name and one range on several hosts.",
    guard="The same range on separate VLANs cannot be distinguished: mute it.",
    remedy="Split the range between the hosts.",
    references=("https://github.com/moby/moby/issues/49921",),
    cluster=_find,
)
