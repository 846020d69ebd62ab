"""Volumes that nodes cannot mount, by what the kernel said about it."""

from __future__ import annotations

from .cluster import Cluster
from .diagnosis import Diagnosis, Found
from .finding import Fix, listed
from .tasks import retry, unsolved

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
