"""Volumes that nodes cannot mount, by what the kernel said about it."""

from __future__ import annotations

import errno
import os
from collections import defaultdict

from .cluster import Cluster
from .diagnosis import Diagnosis, Found
from .finding import Fix, NotSeen, Seen, listed
from .tasks import retry, unsolved

_KNOWN = (0, errno.EACCES, errno.EPERM, errno.ENOENT, errno.ESTALE)
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


def refused_mounts(code: Diagnosis, cluster: Cluster, *errors: int, fix: str) -> Found:
    """A finding for each volume that a node could not mount as the engine does it, with one of these error numbers."""
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
        yield code.finding(
            volume,
            f"volume {volume}: {listed(seen)} cannot mount it: {listed(map(os.strerror, seen.values()))}",
            [
                Seen(name, f"mount {cluster.hosts[name].volumes[volume]}", "mounted", os.strerror(number))
                for name, number in seen.items()
            ],
            [Fix("", fix)],
            hosts=list(seen),
            consequences=("CL213", "CL214"),
        )


def other_errors(cluster: Cluster) -> Found:
    """Volumes whose mounting failed with an error that no code stands for."""
    for host in cluster.members():
        for volume in [one.volume for one in cluster.tries(host)] if host.probing else []:
            if (number := host.mounted(volume)) not in _KNOWN and number is not None:
                yield NotSeen(host.name, f"volume {volume} cannot be mounted: {os.strerror(number)}")
