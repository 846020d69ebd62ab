"""Membership in the lab's Swarm, as its managers see it.

That an engine says "active" proves nothing: it may be in any Swarm. A host is a member when the node that its
engine claims to be is in the node list of the lab's managers: ready, with the wanted role and availability, and with
its address on the LAN. A host in another Swarm never leaves it unasked: that is blocked, with the command for a person.

A Swarm is ours if its spec carries the lab's label, which only `docker swarm init` through the API can set. In any
other Swarm nothing is changed: nodes keep their roles, availability, labels and addresses, and no node joins or is
removed. `swarm: {adopt: true}` in the inventory allows to join hosts and to set what the inventory states.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from clusterlab.model.swarm import Swarm as Settings
from clusterlab.resources import swarm_actions as actions
from clusterlab.resources import swarm_settings
from clusterlab.resources.base import Change, Difference, Key
from clusterlab.resources.managers import Node
from clusterlab.resources.swarm_member import Member, at_work, without_port

_LABEL = "label "
ADOPT = "set `swarm: {adopt: true}` in the inventory"


@dataclass(frozen=True)
class Swarm:
    """The lab's Swarm as observed: who is asked, and what that manager knows.

    `nodes` is None when there is no Swarm yet, or when no manager could list them (`trouble`).
    """

    lab: str
    asked: Member
    members: tuple[Member, ...]
    nodes: Sequence[Node] | None = None
    trouble: str = ""
    settings: Settings = field(default_factory=Settings)
    cluster: Mapping[str, Any] = field(default_factory=dict)  # as the engine that is asked reports it; empty: none yet

    @property
    def ours(self) -> bool:
        """Whether clusterlab initialised it for this lab, or it is yet to be initialised."""
        return self.asked.made_for == self.lab or not self.asked.control

    @property
    def changeable(self) -> bool:
        return self.ours or self.settings.adopt


def reference(members: Sequence[Member], lab: str) -> Member:
    """Whose Swarm is the lab's.

    The managers at work, then those that do not answer, then the first one.
    """
    should_manage = [one for one in members if one.role == "manager"]
    silent = [one for one in should_manage if one.state == "unknown"]
    return (at_work(members, lab) or silent or should_manage)[0]


def changes(swarm: Swarm, needs: Mapping[str, frozenset[Key]], remove_nodes: bool = False) -> list[Change]:
    """What makes the members the nodes of `swarm`.

    `needs` are the changes that must come first on each host.

    `remove_nodes` allows to remove the nodes of hosts that are no longer in the inventory.
    """
    made: list[Change] = []
    first = swarm.asked
    begins = _change(swarm, first, needs.get(first.host.name, frozenset()))
    founds = {begins.key} if begins and begins.action in ("init", "join", "verify") else frozenset()
    managers_before: frozenset[Key] = frozenset()
    for one in sorted(swarm.members, key=lambda each: (not (founds and each is first), each.role != "manager")):
        ahead = needs.get(one.host.name, frozenset()) | (founds if one is not first else frozenset())
        # Managers come one after the other, since each needs a majority of those before it; demotions come last.
        ahead |= managers_before if one.role == "manager" or one.control else frozenset()
        change = _change(swarm, one, ahead)
        if change:
            made.append(change)
            managers_before |= {change.key} if one.role == "manager" or one.control else frozenset()
        # As long as it is not known which node a host is, none may be taken for a dead one.
        if one.state != "unknown" and not (change and change.blocked):
            made += _replaced(swarm, one)
    made += _set(swarm)
    return made + _taken_out(swarm, frozenset(change.key for change in made), remove_nodes)


def notes(swarm: Swarm) -> list[tuple[str, str]]:
    """What is worth knowing about members and calls for no change: (host, sentence)."""
    found = [
        (swarm.asked.host.name, f"its Swarm keeps {one.name} {one.found}, and only a new one would have {one.wanted}")
        for one in (swarm_settings.fixed_differences(swarm.settings, swarm.cluster) if swarm.cluster else ())
    ]
    for one in swarm.members:
        node = actions.by_id(swarm.nodes or (), one.node)
        if node is None:
            continue
        if one.data_path and one.data_path != one.lan:
            found.append((one.host.name, f"its overlay traffic uses {one.data_path} (data path address)"))
        if not swarm.ours and (differing := _misplaced(one, node)):
            found.append((one.host.name, f"the Swarm knows it as {differing[0].found}, the inventory as {one.lan}"))
    return found


def _change(swarm: Swarm, one: Member, needs: frozenset[Key]) -> Change | None:
    first, nodes = swarm.asked, swarm.nodes
    node = actions.by_id(nodes or (), one.node)
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
    wanted = actions.Wanted(one.host, "manager", one.lan, one.availability or "active", labels=one.labels)
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
    by_hand = _join_by_hand(one, first)
    return Change(
        key=one.key,
        action="join",
        reason="an earlier attempt to join has not ended" if pending else "in no Swarm",
        command=("docker swarm leave --force && " if pending else "") + by_hand,
        carry_out=partial(
            actions.join, _wanted(swarm, one), swarm.lab, first.host, adopt=swarm.settings.adopt, give_up_first=pending
        ),
        differences=(Difference("swarm", one.role, one.state if pending else "none"),),
        needs=needs,
        blocked=""
        if swarm.changeable
        else f"clusterlab did not initialise the Swarm of {first.host.name} and adds no node to it: to join "
        f"{one.host.name}, run `{by_hand}` there, or {ADOPT}",
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
    )


def _correct(swarm: Swarm, one: Member, node: Node, needs: frozenset[Key]) -> Change | None:
    """What is wrong with a host that is in the lab's Swarm."""
    misplaced = _misplaced(one, node)
    if misplaced and swarm.ours:
        leave = "docker swarm leave --force" if one.control else "docker swarm leave"
        again = f"docker swarm init {_addresses(one)}" if one is swarm.asked else _join_by_hand(one, swarm.asked)
        why = f"only leaving and joining again changes that, which ends what Swarm runs there: `{leave} && {again}`"
        return _blocked(one, "in the lab's Swarm with a wrong address", why, misplaced)
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
    if actions.state(node) != "ready" or one.state != "active":
        found = f"{actions.state(node)} for the managers, {one.state} for its engine"
        return _wait(swarm, one, f"the node is {found}", (Difference("state", "ready", found),), needs)
    if one.role == "manager" and actions.reachability(node) != "reachable":
        difference = Difference("reachability", "reachable", actions.reachability(node))
        return _wait(swarm, one, "the other managers do not reach it", (difference,), needs)
    return None


def _misplaced(one: Member, node: Node) -> tuple[Difference, ...]:
    pairs = (("advertised address", one.address), ("address that the managers see", actions.address(node)))
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
        reason=", ".join(f"its {item.name} is {_word(item.found)}" for item in differences),
        command=command,
        carry_out=partial(actions.update, _wanted(swarm, one), asked.host),
        differences=differences,
        needs=needs,
        blocked=""
        if swarm.changeable
        else f"clusterlab did not initialise this Swarm and leaves its nodes as they are: give {one.host.name} "
        f"{stated} yourself, change the inventory to what it is, or {ADOPT}",
    )


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
            reason=", ".join(f"{one.name} is {_word(one.found)}" for one in differing),
            command=swarm_settings.update_command(swarm.settings, swarm.cluster),
            carry_out=partial(swarm_settings.update, first.host, swarm.settings),
            differences=differing,
            blocked="" if swarm.changeable else f"clusterlab did not initialise this Swarm: to change it, {ADOPT}",
        )
    ]


def _replaced(swarm: Swarm, one: Member) -> list[Change]:
    """Remove the nodes that `one` was before it left and joined again.

    Its address belongs to one node only.
    """
    claimed = {other.node for other in swarm.members}
    dead = [node for node in swarm.nodes or () if node["ID"] not in claimed and actions.address(node) == one.lan]
    return [
        _removal(swarm, node, node["ID"], f"{one.host.name} is no longer this node", frozenset({one.key}))
        for node in dead
        if swarm.ours or actions.joined_by(node, swarm.lab)
    ]


def _taken_out(swarm: Swarm, needs: frozenset[Key], allowed: bool) -> list[Change]:
    """Remove the nodes of hosts that are no longer in the inventory.

    Only nodes that clusterlab joined.

    None is removed while a member does not answer: it could be that member.
    """
    if any(one.state == "unknown" for one in swarm.members):
        return []
    claimed, addresses = {one.node for one in swarm.members}, {one.lan for one in swarm.members}
    found = []
    for node in swarm.nodes or ():
        if node["ID"] in claimed or actions.address(node) in addresses or not actions.joined_by(node, swarm.lab):
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
    commands += [f"docker node update --availability drain {node['ID']}"] if actions.state(node) == "ready" else []
    return Change(
        key=Key(first.host.name, "swarm node", name),
        action="remove",
        reason=reason,
        command=" && ".join([*commands, f"docker node rm --force {node['ID']}"]),
        carry_out=partial(actions.remove, first.host, node["ID"]),
        needs=needs,
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


def _join_by_hand(one: Member, first: Member) -> str:
    token = f"$(ssh {first.host.name} docker swarm join-token -q {one.role})"
    available = f" --availability {one.availability}" if one.availability not in (None, "active") else ""
    join = f'docker swarm join --token "{token}" {_addresses(one)}{available} {first.lan}:{actions.PORT}'
    if not one.labels:
        return join
    node = "$(docker info --format '{{.Swarm.NodeID}}')"
    return f"{join} && ssh {first.host.name} docker node update {_label_options(one.labels)} {node}"


def _label_options(labels: Mapping[str, str]) -> str:
    return " ".join(f"--label-add {shlex.quote(f'{key}={value}')}" for key, value in labels.items())


def _word(found: object) -> object:
    return "not set" if found is None else found


def _addresses(one: Member) -> str:
    return f"--advertise-addr {one.lan} --data-path-addr {one.lan} --listen-addr {one.lan}:{actions.PORT}"
