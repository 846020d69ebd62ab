"""What doctor saw, in the form that preconditions of checks judge.

Both then find the same.
"""

from __future__ import annotations

from collections.abc import Mapping

from clusterlab.checks.facts import Facts, Node

from .cluster import Cluster, once
from .finding import NotSeen
from .host_view import HostView
from .sections import NFS_SERVER


@once
def facts_of(cluster: Cluster) -> Mapping[str, Facts]:
    """The facts of every host, by its name."""
    return {name: _facts(host, cluster) for name, host in cluster.hosts.items()}


def _facts(host: HostView, cluster: Cluster) -> Facts:
    answers = host.answers
    try:
        state = host.info.text("Swarm", "LocalNodeState", default="")
    except NotSeen:
        state = ""
    return Facts(
        host.name,
        answers.asked_at,
        unreachable=answers.unreachable,
        engine_down=answers.engine_down,
        engine_silent=answers.engine_silent,
        swarm={"LocalNodeState": state},
        nodes=_nodes(cluster) if "nodes" in answers.api else None,
        nfs_listens=_listens(host),
    )


def _nodes(cluster: Cluster) -> dict[str, Node] | None:
    try:
        # An entry of a node that left may have the address of one that is ready.
        nodes = sorted(cluster.nodes(), key=lambda node: node.state == "ready")
        return {node.address: Node(node.state, node.availability) for node in nodes}
    except NotSeen:
        return None


def _listens(host: HostView) -> bool | None:
    try:
        server = host.read(NFS_SERVER)
    except NotSeen:
        return None
    return server.threads > 0 if server else None
