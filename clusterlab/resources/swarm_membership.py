"""Changes of one host's membership in the lab's Swarm.

Initialise it, join it, correct its node, or wait for it.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from functools import partial

from clusterlab.resources import swarm_actions as actions
from clusterlab.resources import swarm_nodes, swarm_settings
from clusterlab.resources.base import Change, Difference, Key
from clusterlab.resources.managers import Node
from clusterlab.resources.swarm_member import Member, without_port
from clusterlab.resources.swarm_observed import ADOPT, Swarm

_LABEL = "label "


def change(swarm: Swarm, one: Member, needs: frozenset[Key]) -> Change | None:
    """What makes a member the node that it should be; None when it is."""
    first, nodes = swarm.asked, swarm.nodes
    node = swarm_nodes.by_id(nodes or (), one.node)
    if one is first and swarm.trouble:
        return _blocked(one, "the managers do not answer", swarm.trouble)
    if one.state == "locked":
        return _blocked(one, "its Swarm is locked", "its engine needs the key: run `docker swarm unlock` there")
    if one is first and one.state == "inactive":
        return _init(one, swarm, needs)
    if one.state == "inactive" or (one.state == "pending" and not one.node and one is not first):
        return _join(swarm, one, needs)
    verifiable = nodes is not None or first.state == "inactive"  # nobody is in a Swarm that is yet to be initialised
    if one.state == "unknown" or not (verifiable or one is first):
        return _wait(swarm, one, "its engine must answer before its Swarm is known", (), needs)
    if one.state == "active" and not one.node:
        return _blocked(one, "leaving a Swarm", _half_out(one))
    if node is None:
        return _blocked(one, "in another Swarm", _foreign(one, first))
    return _correct(swarm, one, node, needs)


def _init(one: Member, swarm: Swarm, needs: frozenset[Key]) -> Change:
    wanted = actions.Wanted(
        one.host, "manager", one.lan, one.availability or "active", labels=one.labels, overlay=one.overlay
    )
    labelling = f" && docker node update {_label_options(one.labels)} self" if one.labels else ""
    return Change(
        key=one.key,
        action="init",
        reason="no manager of the lab is in a Swarm",
        command=f"docker swarm init {_addresses(one)}{swarm_settings.typed(swarm.settings)}{labelling}",
        carry_out=partial(actions.init, wanted, swarm.lab, swarm.settings),
        differences=(Difference("swarm", "manager", "none"),),
        needs=needs,
    )


def _join(swarm: Swarm, one: Member, needs: frozenset[Key]) -> Change:
    first, pending = swarm.asked, one.state == "pending"
    command = _join_command(one, first)
    return Change(
        key=one.key,
        action="join",
        reason="an earlier attempt to join has not ended" if pending else "in no Swarm",
        command=("docker swarm leave --force && " if pending else "") + command,
        carry_out=partial(
            actions.join, _wanted(swarm, one), swarm.lab, first.host, adopt=swarm.settings.adopt, give_up_first=pending
        ),
        differences=(Difference("swarm", one.role, one.state if pending else "none"),),
        needs=needs,
        blocked=""
        if swarm.changeable
        else f"clusterlab did not initialise the Swarm of {first.host.name} and adds no node to it: to join "
        f"{one.host.name}, run `{command}` there, or {ADOPT}",
    )


def _wait(swarm: Swarm, one: Member, reason: str, differences: tuple[Difference, ...], needs: frozenset[Key]) -> Change:
    return Change(
        key=one.key,
        action="verify",
        reason=reason,
        command=f"docker node ls   # on {swarm.asked.host.name}",
        carry_out=partial(actions.settle, _wanted(swarm, one), swarm.asked.host),
        differences=differences,
        needs=needs,
    )


def _wanted(swarm: Swarm, one: Member) -> actions.Wanted:
    """The node as it should be.

    In a Swarm that is not ours only the inventory's own statements count.
    """
    return actions.Wanted(
        host=one.host,
        role=one.role,
        availability=one.availability or ("active" if swarm.ours else None),
        lan=one.lan,
        anywhere=not swarm.ours,
        labels=one.labels,
        overlay=one.overlay,
    )


def _correct(swarm: Swarm, one: Member, node: Node, needs: frozenset[Key]) -> Change | None:
    """What is wrong with a host that is in the lab's Swarm."""
    wrong = misplaced(one, node)
    if wrong and swarm.ours:
        leave = "docker swarm leave --force" if one.control else "docker swarm leave"
        again = f"docker swarm init {_addresses(one)}" if one is swarm.asked else _join_command(one, swarm.asked)
        why = f"only leaving and joining again changes that, which ends what Swarm runs there: `{leave} && {again}`"
        return _blocked(one, "in the lab's Swarm with a wrong address", why, wrong)
    wanted = _wanted(swarm, one)
    role, availability = node["Spec"].get("Role"), node["Spec"].get("Availability")
    differences = [Difference("role", one.role, role)] if role != one.role else []
    if wanted.availability not in (None, availability):
        differences.append(Difference("availability", wanted.availability, availability))
    labels = node["Spec"].get("Labels") or {}
    differences += [
        Difference(f"{_LABEL}{key}", value, labels.get(key))
        for key, value in one.labels.items()
        if labels.get(key) != value
    ]
    if differences:
        return _update(swarm, one, tuple(differences), needs)
    if swarm_nodes.state(node) != "ready" or one.state != "active":
        found = f"{swarm_nodes.state(node)} for the managers, {one.state} for its engine"
        return _wait(swarm, one, f"the node is {found}", (Difference("state", "ready", found),), needs)
    if one.role == "manager" and swarm_nodes.reachability(node) != "reachable":
        difference = Difference("reachability", "reachable", swarm_nodes.reachability(node))
        return _wait(swarm, one, "the other managers do not reach it", (difference,), needs)
    return None


def misplaced(one: Member, node: Node) -> tuple[Difference, ...]:
    """The addresses of a node that are not that of its host on the LAN."""
    pairs = (("advertised address", one.address), ("address that the managers see", swarm_nodes.address(node)))
    return tuple(Difference(name, one.lan, found) for name, found in pairs if found != one.lan)


def _update(swarm: Swarm, one: Member, differences: tuple[Difference, ...], needs: frozenset[Key]) -> Change:
    verb = {"manager": "promote", "worker": "demote"}[one.role] if differences[0].name == "role" else "update"
    asked = swarm.asked
    if one is asked and one.role == "worker":  # demoted: another manager confirms it
        asked = next((other for other in swarm.members if other.role == "manager"), asked)
    labels = {item.name.removeprefix(_LABEL): str(item.wanted) for item in differences if item.name.startswith(_LABEL)}
    options = [f"--{item.name} {item.wanted}" for item in differences if not item.name.startswith(_LABEL)]
    options += [_label_options(labels)] if labels else []
    command = f"docker node update {' '.join(options)} {one.node}   # on {asked.host.name}"
    stated = " and ".join(f"the {item.name} {item.wanted}" for item in differences)
    return Change(
        key=one.key,
        action=verb,
        reason=", ".join(f"its {item.name} is {shown_value(item.found)}" for item in differences),
        command=command,
        carry_out=partial(actions.update, _wanted(swarm, one), asked.host),
        differences=differences,
        needs=needs,
        blocked=""
        if swarm.changeable
        else f"clusterlab did not initialise this Swarm and leaves its nodes as they are: give {one.host.name} "
        f"{stated} yourself, change the inventory to what it is, or {ADOPT}",
    )


def _half_out(one: Member) -> str:
    return (
        f"the engine of {one.host.name} is in a Swarm but has no node id: it has not finished leaving. "
        f"Run `docker swarm leave --force` on {one.host.name}, then the same command again"
    )


def _foreign(one: Member, first: Member) -> str:
    where = f"managed by {', '.join(one.managers)}" if one.managers else "whose managers are not known"
    ours = first.lan in {without_port(address) for address in one.managers}
    was = f" ({first.host.name} has joined a new one since, or has removed this host)" if ours else ""
    said = f"; its engine reports: {one.error}" if one.error else ""
    leave = "docker swarm leave --force" if one.control else "docker swarm leave"
    return (
        f"{one.host.name} is in another Swarm, {where}{was}, and does not leave it unasked{said}. "
        f"If that Swarm can lose it, run `{leave}` on {one.host.name}"
    )


def _blocked(one: Member, reason: str, why: str, differences: tuple[Difference, ...] = ()) -> Change:
    return Change(one.key, "join", reason, "", lambda: None, differences, blocked=why)


def _join_command(one: Member, first: Member) -> str:
    token = f"$(ssh {first.host.name} docker swarm join-token -q {one.role})"
    available = f" --availability {one.availability}" if one.availability not in (None, "active") else ""
    join = f'docker swarm join --token "{token}" {_addresses(one)}{available} {first.lan}:{actions.PORT}'
    if not one.labels:
        return join
    node = "$(docker info --format '{{.Swarm.NodeID}}')"
    return f"{join} && ssh {first.host.name} docker node update {_label_options(one.labels)} {node}"


def _label_options(labels: Mapping[str, str]) -> str:
    return " ".join(f"--label-add {shlex.quote(f'{key}={value}')}" for key, value in labels.items())


def shown_value(found: object) -> object:
    """A value for a sentence."""
    return "not set" if found is None else found


def _addresses(one: Member) -> str:
    overlay = one.overlay or one.lan
    return f"--advertise-addr {one.lan} --data-path-addr {overlay} --listen-addr {one.lan}:{actions.PORT}"
