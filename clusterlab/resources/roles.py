"""What the roles of a host ask for."""

from __future__ import annotations

from dataclasses import dataclass

from clusterlab.model.lab import Lab


@dataclass(frozen=True)
class Roles:
    """The roles of one host, and what of the lab they concern."""

    docker: bool
    nfs_server: bool
    mounts_nfs: bool
    iscsi_target: bool
    serves_luns: bool
    logs_in: bool  # to LUNs
    in_swarm: bool
    registry: bool


def roles(lab: Lab, host: str) -> Roles:
    given = lab.inventory.hosts[host].roles
    docker, luns = "docker" in given, bool(lab.inventory.iscsi.luns)
    return Roles(
        docker=docker,
        nfs_server="nfs_server" in given,
        mounts_nfs=docker and bool(lab.inventory.with_role("nfs_server")),
        iscsi_target="iscsi_target" in given,
        serves_luns="iscsi_target" in given and luns,
        logs_in=docker and luns,
        in_swarm="swarm_manager" in given or "swarm_worker" in given,
        registry="registry" in given,
    )
