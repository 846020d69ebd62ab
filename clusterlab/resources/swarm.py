"""Membership in the lab's Swarm, as its managers see it.

That an engine says "active" proves nothing: it may be in any Swarm. A host is a member when the node that its
engine claims to be is in the node list of the lab's managers: ready, with the wanted role and availability, and with
its address on the LAN. A host in another Swarm never leaves it unasked: that is blocked, with the command for a person.

A Swarm is ours if its spec carries the lab's label, which only `docker swarm init` through the API can set. In any
other Swarm nothing is changed: nodes keep their roles, availability, labels and addresses, and no node joins or is
removed. `swarm: {adopt: true}` in the inventory allows to join hosts and to set what the inventory states.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from clusterlab.resources import swarm_nodes, swarm_settings
from clusterlab.resources.base import Change, Key
from clusterlab.resources.swarm_membership import change, misplaced, shown_value
from clusterlab.resources.swarm_observed import ADOPT, Swarm
from clusterlab.resources.swarm_removed_nodes import nodes_of_removed_hosts, replaced_nodes


def changes(swarm: Swarm, needs: Mapping[str, frozenset[Key]], remove_nodes: bool = False) -> list[Change]:
    """What makes the members the nodes of `swarm`.

    `needs` are the changes that must come first on each host.

    `remove_nodes` allows to remove the nodes of hosts that are no longer in the inventory.
    """
    made: list[Change] = []
    first = swarm.asked
    begins = change(swarm, first, needs.get(first.host.name, frozenset()))
    founds = {begins.key} if begins and begins.action in ("init", "join", "verify") else frozenset()
    managers_before: frozenset[Key] = frozenset()
    for one in sorted(swarm.members, key=lambda each: (not (founds and each is first), each.role != "manager")):
        ahead = needs.get(one.host.name, frozenset()) | (founds if one is not first else frozenset())
        # Managers come one after the other, since each needs a majority of those before it; demotions come last.
        ahead |= managers_before if one.role == "manager" or one.control else frozenset()
        changed = change(swarm, one, ahead)
        if changed:
            made.append(changed)
            managers_before |= {changed.key} if one.role == "manager" or one.control else frozenset()
        # As long as it is not known which node a host is, none may be taken for a dead one.
        if one.state != "unknown" and not (changed and changed.blocked):
            made += replaced_nodes(swarm, one)
    made += _set(swarm)
    return made + nodes_of_removed_hosts(swarm, frozenset(one.key for one in made), remove_nodes)


def notes(swarm: Swarm) -> list[tuple[str, str]]:
    """What is worth knowing about members and calls for no change: (host, sentence)."""
    found = [
        (swarm.asked.host.name, f"its Swarm keeps {one.name} {one.found}, and only a new one would have {one.wanted}")
        for one in (swarm_settings.fixed_differences(swarm.settings, swarm.cluster) if swarm.cluster else ())
    ]
    for one in swarm.members:
        node = swarm_nodes.by_id(swarm.nodes or (), one.node)
        if node is None:
            continue
        uses, wanted = one.data_path or one.address, one.overlay or one.lan
        if (one.data_path or one.overlay) and uses != wanted:
            instead = f", and only joining again would have {wanted}" if one.overlay else ""
            found.append((one.host.name, f"its overlay traffic uses {uses} (data path address){instead}"))
        if not swarm.ours and (differing := misplaced(one, node)):
            found.append((one.host.name, f"the Swarm knows it as {differing[0].found}, the inventory as {one.lan}"))
    return found


def _set(swarm: Swarm) -> list[Change]:
    """Change the settings of the Swarm as a whole.

    One that clusterlab did not initialise keeps its own.
    """
    differing = swarm_settings.differences(swarm.settings, swarm.cluster) if swarm.cluster and swarm.nodes else ()
    if not differing:
        return []
    first = swarm.asked
    return [
        Change(
            key=Key(first.host.name, "swarm settings", swarm.lab),
            action="update",
            reason=", ".join(f"{one.name} is {shown_value(one.found)}" for one in differing),
            command=swarm_settings.update_command(swarm.settings, swarm.cluster),
            carry_out=partial(swarm_settings.update, first.host, swarm.settings),
            differences=differing,
            blocked="" if swarm.changeable else f"clusterlab did not initialise this Swarm: to change it, {ADOPT}",
        )
    ]
