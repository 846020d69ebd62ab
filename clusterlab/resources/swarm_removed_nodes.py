"""Nodes that are removed from the Swarm.

Those of hosts that are no longer in the inventory, or that left and joined again.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from clusterlab.resources import swarm_actions as actions
from clusterlab.resources import swarm_nodes
from clusterlab.resources.base import Change, Key
from clusterlab.resources.managers import Node
from clusterlab.resources.swarm_member import Member
from clusterlab.resources.swarm_observed import Swarm


def replaced_nodes(swarm: Swarm, one: Member) -> list[Change]:
    """Remove the nodes that `one` was before it left and joined again.

    Its address belongs to one node only.
    """
    claimed = {other.node for other in swarm.members}
    dead = [node for node in swarm.nodes or () if node["ID"] not in claimed and swarm_nodes.address(node) == one.lan]
    return [
        _removal(swarm, node, node["ID"], f"{one.host.name} is no longer this node", frozenset({one.key}))
        for node in dead
        if swarm.ours or swarm_nodes.joined_by(node, swarm.lab)
    ]


def nodes_of_removed_hosts(swarm: Swarm, needs: frozenset[Key], allowed: bool) -> list[Change]:
    """Remove the nodes of hosts that are no longer in the inventory.

    Only nodes that clusterlab joined.

    None is removed while a member does not answer: it could be that member.
    """
    if any(one.state == "unknown" for one in swarm.members):
        return []
    claimed, addresses = {one.node for one in swarm.members}, {one.lan for one in swarm.members}
    found = []
    for node in swarm.nodes or ():
        if (
            node["ID"] in claimed
            or swarm_nodes.address(node) in addresses
            or not swarm_nodes.joined_by(node, swarm.lab)
        ):
            continue
        name = (node.get("Description") or {}).get("Hostname") or node["ID"]
        change = _removal(swarm, node, name, f"{name} is no longer in the inventory", needs)
        why = (
            f"its tasks would move to other nodes; everything else on it stays there. Run `clusterlab provision "
            f"--remove-nodes`, or put {name} back into the inventory"
        )
        rest = (
            f"{name} is out of the Swarm, and its machine stays as it is: what clusterlab installed there, its engine "
            f"and its data. Run `docker swarm leave --force` on {name} before it joins a Swarm again"
        )
        found.append(replace(change, blocked="" if allowed else why, rest=rest))
    return found


def _removal(swarm: Swarm, node: Node, name: str, reason: str, needs: frozenset[Key]) -> Change:
    first, demote = swarm.asked, node["Spec"].get("Role") == "manager"
    commands = [f"docker node demote {node['ID']}"] if demote else []
    commands += [f"docker node update --availability drain {node['ID']}"] if swarm_nodes.state(node) == "ready" else []
    return Change(
        key=Key(first.host.name, "swarm node", name),
        action="remove",
        reason=reason,
        command=" && ".join([*commands, f"docker node rm --force {node['ID']}"]),
        carry_out=partial(actions.remove, first.host, node["ID"]),
        needs=needs,
    )
