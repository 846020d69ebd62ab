"""CL101: engines of different versions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, Seen, Severity, listed

_SEALED = (29, 0, 0), (29, 2, 0)
"""The first and the last release whose encrypted overlays older ones cannot read."""


def _find(cluster: Cluster) -> Found:
    versions: dict[str, list[str]] = defaultdict(list)
    for host in cluster.members():
        versions[host.info.text("ServerVersion")].append(host.name)
    if len(versions) < 2:
        return
    branches = {".".join(version.split(".")[:2]) for version in versions}
    shown = "; ".join(f"{version} on {listed(hosts)}" for version, hosts in sorted(versions.items()))
    newest = max(versions, key=_number)
    broken = _broken([_number(version) for version in versions], cluster)
    severity = Severity.ERROR if broken else Severity.WARNING if len(branches) > 1 else Severity.ADVICE
    yield CODE.finding(
        "swarm",
        f"the engines have different versions: {shown}{broken}",
        [Seen(name, "docker version", newest, version) for version, hosts in versions.items() for name in hosts],
        [
            Fix(name, f"install the version {newest} of the engine")
            for version, hosts in versions.items()
            for name in hosts
            if version != newest
        ],
        severity=severity,
    )


def _broken(numbers: Sequence[tuple[int, ...]], cluster: Cluster) -> str:
    """What is known not to work between these versions, as the end of a sentence; "" when nothing is."""
    if {(28, 1), (28, 2)} <= {number[:2] for number in numbers}:
        return "; 28.1 and 28.2 are known not to work together (moby issue 50129)"
    first, last = _SEALED
    if any(first <= number <= last for number in numbers) and any(number < first for number in numbers):
        networks = [one for host in cluster.members() for one in host.networks()]
        sealed = {one.text("Name") for one in networks if one.texts("Options").get("encrypted", "false") != "false"}
        if sealed:
            return (
                f"; encrypted overlays ({listed(sealed)}) do not work between engines 29.0.0 to 29.2.0 and older ones"
            )
    return ""


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("-")[0].split("+")[0].split(".") if part.isdecimal())


CODE = Diagnosis(
    code="CL101",
    title="Engines have different versions",
    severity=Severity.ERROR,
    effect="Nodes of one Swarm that differ in more than the patch level are tested by nobody: encrypted overlays and "
    "the gossip of names have broken between versions.",
    detection="`ServerVersion` of /info on every node. It is advice where only the patch level differs, and an error "
    "only for versions that are known not to work together, where something uses what does not.",
    remedy="Install the newest of the versions on the older nodes, one after the other, drained.",
    references=("https://github.com/moby/moby/issues/50129", "https://github.com/moby/moby/issues/51798"),
    needs_swarm=True,
    cluster=_find,
)
