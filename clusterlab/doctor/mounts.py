"""Volumes that nodes cannot mount, by what the kernel said about it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

from .cluster import Cluster
from .diagnosis import Diagnosis, Found
from .exports import Problem, Refused, refusals
from .finding import Finding, Fix, NotSeen, Seen, Severity, listed
from .host_view import Volume
from .tasks import retry, unsolved

EPERM, ENOENT, EACCES, ESTALE = 1, 2, 13, 116
"""Error numbers of Linux, which the hosts report; those of this computer may be others."""
_KNOWN = (0, EPERM, ENOENT, EACCES, ESTALE)
_TEXTS = {
    EPERM: "Operation not permitted",
    ENOENT: "No such file or directory",
    5: "Input/output error",
    EACCES: "Permission denied",
    16: "Device or resource busy",
    19: "No such device",
    20: "Not a directory",
    22: "Invalid argument",
    32: "Broken pipe",
    93: "Protocol not supported",
    101: "Network is unreachable",
    104: "Connection reset by peer",
    110: "Connection timed out",
    111: "Connection refused",
    112: "Host is down",
    113: "No route to host",
    ESTALE: "Stale file handle",
    121: "Remote I/O error",
}
SHOWN = 5
"""Failed tasks that a finding shows."""


def failed_mounts(code: Diagnosis, cluster: Cluster, *texts: str, fix: str) -> Found:
    """A finding for each service whose tasks failed to mount an NFS volume.

    With one of the kernel's texts.
    """
    for service, failures in unsolved(cluster, *texts):
        mounts = [one for one in failures if "mount" in one.error.lower() and "addr=" in one.error]
        if not mounts:
            continue
        hosts = {one.host for one in mounts}
        yield code.finding(
            service,
            f"service {service}: {listed(hosts)} cannot mount its volume: {mounts[0].error.rpartition(': ')[2]}",
            [one.seen(cluster.manager.name) for one in mounts[:SHOWN]],
            [Fix("", fix), retry(service)],
            consequences=("CL213", "CL214"),
        )


def unserved(code: Diagnosis, cluster: Cluster, *problems: Problem) -> Found:
    """A finding for each volume that its server does not serve to a node, by what the server exports."""
    found: dict[str, list[Refused]] = defaultdict(list)
    for one in refusals(cluster):
        if isinstance(one, NotSeen):
            yield one
        elif one.problem in problems:
            found[one.volume].append(one)
    for volume, refused in found.items():
        hosts = [one.host for one in refused]
        yield code.finding(
            volume,
            f"volume {volume}: {_WHY[refused[0].problem].format(hosts=listed(hosts), one=refused[0])}",
            [
                *(
                    Seen(one.host, f"docker volume inspect {volume}", "", str(_options(cluster, one)))
                    for one in refused
                ),
                *{one.server: Seen(one.server, *_asked(one)) for one in refused}.values(),
            ],
            [Fix(refused[0].server, _FIX[refused[0].problem].format(hosts=" ".join(hosts), one=refused[0]))],
            severity=min((one.severity for one in refused), key=list(Severity).index),
            hosts=hosts,
            consequences=(code.code, "CL407", "CL213", "CL214"),  # what is no longer exported is stale
        )


_WHY: Mapping[Problem, str] = {
    "not exported": "{one.server} does not export {one.path} to {hosts}",
    "read-only": "{one.server} exports {one.path} read-only to {hosts}, and containers there may write to it",
    "no directory": "{one.server} has no directory {one.path}, and {hosts} cannot mount it",
}
_FIX: Mapping[Problem, str] = {
    "not exported": "exportfs -o rw CLIENT:{one.path}, and the same in /etc/exports, for {hosts}",
    "read-only": "exportfs -o rw CLIENT:{one.path}, and the same in /etc/exports, for {hosts}; or mount it read-only",
    "no directory": "mkdir -p {one.path}",
}


def _options(cluster: Cluster, refused: Refused) -> Volume:
    return cluster.hosts[refused.host].volumes[refused.volume]


def _asked(refused: Refused) -> tuple[str, str, str]:
    """What the server was asked, what is needed, and what it has."""
    if refused.problem == "no directory":
        return f"ls -d {refused.path}", "a directory", "none"
    return "exportfs -v", f"{refused.path} for writing", refused.seen


def refused_mounts(code: Diagnosis, cluster: Cluster, *errors: int, known: Collection[str] = (), fix: str) -> Found:
    """A finding for each volume that a node could not mount as the engine does it, with one of these error numbers.

    Not for the volumes that are `known`.
    """
    refused: dict[str, dict[str, int]] = defaultdict(dict)
    for host in cluster.members():
        try:
            wanted = [one.volume for one in cluster.tries(host)] if host.probing else []
            for volume in wanted:
                if (number := host.mounted(volume)) in errors and number is not None:
                    refused[volume][host.name] = number
        except NotSeen as error:
            yield error
    for volume, seen in refused.items():
        if volume in known:
            continue
        yield code.finding(
            volume,
            f"volume {volume}: {listed(seen)} cannot mount it: {listed(map(_text, seen.values()))}",
            [
                Seen(name, f"mount {cluster.hosts[name].volumes[volume]}", "mounted", _text(number))
                for name, number in seen.items()
            ],
            [Fix("", fix)],
            hosts=list(seen),
            consequences=("CL213", "CL214"),
        )


def reported(
    code: Diagnosis, cluster: Cluster, *problems: Problem, texts: tuple[str, ...], errors: tuple[int, ...], fix: str
) -> Found:
    """The same cause from all that shows it: the server's exports, failed tasks, and mounts that were tried."""
    known = set()
    for one in unserved(code, cluster, *problems):
        if isinstance(one, Finding):
            known.add(one.subject)
        yield one
    yield from failed_mounts(code, cluster, *texts, fix=fix)
    yield from refused_mounts(code, cluster, *errors, known=known, fix=fix)


def other_errors(cluster: Cluster) -> Found:
    """Volumes whose mounting failed with an error that no code stands for."""
    for host in cluster.members():
        for volume in [one.volume for one in cluster.tries(host)] if host.probing else []:
            if (number := host.mounted(volume)) not in _KNOWN and number is not None:
                yield NotSeen(host.name, f"volume {volume} cannot be mounted: {_text(number)}")


def _text(number: int) -> str:
    """The kernel's text for an error number."""
    return _TEXTS.get(number, f"error {number} of Linux")
