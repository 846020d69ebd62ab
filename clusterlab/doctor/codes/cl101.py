"""CL101: engines of different versions."""

from __future__ import annotations

from collections import defaultdict

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, Seen, Severity, listed


def _find(cluster: Cluster) -> Found:
    versions: dict[str, list[str]] = defaultdict(list)
    for host in cluster.members():
        versions[host.info.text("ServerVersion")].append(host.name)
    if len(versions) < 2:
        return
    branches = {".".join(version.split(".")[:2]) for version in versions}
    shown = "; ".join(f"{version} on {listed(hosts)}" for version, hosts in sorted(versions.items()))
    newest = max(versions, key=_number)
    yield CODE.finding(
        "swarm",
        f"the engines have different versions: {shown}",
        [Seen(name, "docker version", newest, version) for version, hosts in versions.items() for name in hosts],
        [
            Fix(name, f"install the version {newest} of the engine")
            for version, hosts in versions.items()
            for name in hosts
            if version != newest
        ],
        severity=Severity.WARNING if len(branches) > 1 else Severity.ADVICE,
    )


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("-")[0].split("+")[0].split(".") if part.isdecimal())


CODE = Diagnosis(
    code="CL101",
    title="Engines have different versions",
    severity=Severity.WARNING,
    effect="Nodes of one Swarm that differ in more than the patch level are tested by nobody: encrypted overlays and "
    "the gossip of names have broken between versions.",
    detection="`ServerVersion` of /info on every node.",
    guard="Only the patch level differs: advice.",
    remedy="Install the newest of the versions on the older nodes, one after the other, drained.",
    references=("https://github.com/moby/moby/issues/50129", "https://github.com/moby/moby/issues/51798"),
    needs_swarm=True,
    cluster=_find,
)
