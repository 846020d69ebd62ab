"""Membership in the lab's Swarm, as its managers see it.

That an engine says "active" proves nothing: it may be in any swarm. A host is a member when the node that its
engine claims to be stands in the node list of the lab's manager: ready, with the wanted role, and with the address
on the LAN. A host in another swarm is never made to leave it: that is blocked, with the command for a person.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from clusterlab.remote import Host
from clusterlab.resources import swarm_actions as actions
from clusterlab.resources.base import LABEL_LAB, Change, Difference, Key

STATE_FILE = "/var/lib/docker/swarm/docker-state.json"
"""How the engine was told to join, kept across restarts: only this shows the data path address."""
QUESTION = f"cat {STATE_FILE}"

Node = Mapping[str, Any]
"""One node of the managers' list, as the API returns it."""


@dataclass(frozen=True)
class Member:
    """A host that shall be in the lab's Swarm, as its own engine sees itself.

    `state` is the engine's word (inactive, pending, active, error, locked), or "unknown" when the engine does not
    answer and has been in a swarm.
    """

    host: Host
    lan: str
    role: Literal["manager", "worker"]
    state: str = "inactive"
    node: str = ""
    address: str = ""  # that it advertises
    data_path: str = ""  # of overlay traffic; empty: the advertised address
    control: bool = False  # is at work as a manager
    managers: tuple[str, ...] = ()  # of the swarm that it is in
    error: str = ""
    made_for: str = ""  # the lab that the swarm was begun for, as its managers know

    @property
    def key(self) -> Key:
        return Key(self.host.name, "swarm", "membership")


def member(
    host: Host, lan: str, role: Literal["manager", "worker"], info: Mapping[str, Any] | None, state_file: str
) -> Member:
    """A member from what its engine says (None when it does not answer) and from its state file."""
    told = _json(state_file)
    if info is None:
        return Member(host, lan, role, "unknown" if told else "inactive")
    swarm = info.get("Swarm") or {}
    return Member(
        host=host,
        lan=lan,
        role=role,
        state=swarm.get("LocalNodeState") or "inactive",
        node=swarm.get("NodeID") or "",
        address=swarm.get("NodeAddr") or "",
        data_path=actions.without_port(told.get("DataPathAddr") or ""),
        control=bool(swarm.get("ControlAvailable")),
        managers=tuple(one.get("Addr", "") for one in swarm.get("RemoteManagers") or ()),
        error=swarm.get("Error") or "",
        made_for=_labels(swarm).get(LABEL_LAB, ""),
    )


def _labels(swarm: Mapping[str, Any]) -> dict[str, str]:
    spec = (swarm.get("Cluster") or {}).get("Spec") or {}
    return spec.get("Labels") or {}


def _json(text: str) -> dict[str, Any]:
    try:
        loaded = json.loads(text or "{}")
    except ValueError:
        return {}
    return loaded if isinstance(loaded, dict) else {}


def reference(members: Sequence[Member], lab: str) -> Member:
    """Whose swarm is the lab's: managers in the inventory's order, those that are at work first.

    A host that shall be a worker and manages a swarm is in another one, unless that was begun for this lab.
    """
    managers = [one for one in members if one.role == "manager"]
    at_work = [one for one in managers if one.control]
    at_work += [one for one in members if one.control and one.made_for == lab]
    silent = [one for one in managers if one.state == "unknown"]
    return (at_work or silent or managers)[0]


def changes(
    members: Sequence[Member],
    nodes: Sequence[Node] | None,
    lab: str,
    needs: Mapping[str, frozenset[Key]],
    trouble: str = "",
) -> list[Change]:
    """What makes `members` the lab's Swarm.

    `nodes` is the list of the reference's managers; None when it has none yet, or could not say (`trouble`). `needs`
    are the changes that must come first on each host.
    """
    first = reference(members, lab)
    made: list[Change] = []
    managers_before: frozenset[Key] = frozenset()
    for one in sorted(members, key=lambda each: (each is not first, each.role != "manager")):
        ahead = needs.get(one.host.name, frozenset()) | ({first.key} if one is not first else frozenset())
        # Managers come one after the other: each needs a majority of those before it.
        ahead |= managers_before if one.role == "manager" or one.control else frozenset()
        change = _change(one, first, nodes, lab, ahead, trouble)
        if change:
            made.append(change)
            managers_before |= {change.key} if one.role == "manager" else frozenset()
        # As long as it is not known which node a host is, none may be taken for a dead one.
        if one.state != "unknown" and not (change and change.blocked):
            made += _removals(one, first, nodes or (), members)
    return made


def _change(
    one: Member, first: Member, nodes: Sequence[Node] | None, lab: str, needs: frozenset[Key], trouble: str
) -> Change | None:
    node = actions.by_id(nodes or (), one.node)
    if one is first and trouble:
        return _blocked(one, "the managers do not answer", trouble)
    if one.state == "locked":
        return _blocked(one, "its swarm is locked", "its engine needs the key: run `docker swarm unlock` there")
    if one is first and one.state == "inactive":
        return _init(one, lab, needs)
    if one.state == "inactive" or (one.state == "pending" and one is not first):
        return _join(one, first, needs)
    verifiable = nodes is not None or first.state == "inactive"  # nobody is in a swarm that is yet to begin
    if one.state == "unknown" or not (verifiable or one is first):
        return _wait(one, first, "its engine must answer before its swarm is known", (), needs)
    if one.state == "active" and not one.node:
        return _blocked(one, "half out of a swarm", _half_out(one))
    if node is None:
        return _blocked(one, "in another swarm", _foreign(one, first))
    return _correct(one, first, node, needs)


def _init(one: Member, lab: str, needs: frozenset[Key]) -> Change:
    return Change(
        key=one.key,
        action="init",
        reason="no manager of the lab is in a swarm",
        command=f"docker swarm init {_addresses(one)}",
        carry_out=partial(actions.init, one.host, one.lan, lab),
        differences=(Difference("swarm", "manager", "none"),),
        needs=needs,
    )


def _join(one: Member, first: Member, needs: frozenset[Key]) -> Change:
    pending = one.state == "pending"
    return Change(
        key=one.key,
        action="join",
        reason="an earlier attempt to join has not ended" if pending else "in no swarm",
        command=("docker swarm leave --force && " if pending else "") + _join_by_hand(one, first),
        carry_out=partial(actions.join, one.host, one.lan, one.role, first.host, give_up_first=pending),
        differences=(Difference("swarm", one.role, one.state if pending else "none"),),
        needs=needs,
    )


def _wait(
    one: Member, first: Member, reason: str, differences: tuple[Difference, ...], needs: frozenset[Key]
) -> Change:
    return Change(
        key=one.key,
        action="verify",
        reason=reason,
        command=f"docker node ls   # on {first.host.name}",
        carry_out=partial(actions.settle, one.host, one.lan, one.role, first.host),
        differences=differences,
        needs=needs,
    )


def _correct(one: Member, first: Member, node: Node, needs: frozenset[Key]) -> Change | None:
    """What is wrong with a host that is in the lab's swarm."""
    misplaced = _misplaced(one, node)
    if misplaced:
        leave = "docker swarm leave --force" if one.control else "docker swarm leave"
        again = f"docker swarm init {_addresses(one)}" if one is first else _join_by_hand(one, first)
        why = f"only leaving and joining again changes that, which ends what Swarm runs there: `{leave} && {again}`"
        return _blocked(one, "in the lab's swarm with a wrong address", why, misplaced)
    role, availability = node["Spec"].get("Role"), node["Spec"].get("Availability")
    differences = [Difference("role", one.role, role)] if role != one.role else []
    differences += [Difference("availability", "active", availability)] if availability != "active" else []
    if differences:
        return _update(one, first, tuple(differences), needs)
    if actions.state(node) != "ready" or one.state != "active":
        found = f"{actions.state(node)} for the managers, {one.state} for its engine"
        return _wait(one, first, f"the node is {found}", (Difference("state", "ready", found),), needs)
    if one.role == "manager" and actions.reachability(node) != "reachable":
        difference = Difference("reachability", "reachable", actions.reachability(node))
        return _wait(one, first, "the other managers do not reach it", (difference,), needs)
    return None


def _misplaced(one: Member, node: Node) -> tuple[Difference, ...]:
    pairs = (
        ("advertised address", one.address),
        ("address that the managers see", actions.address(node)),
        ("data path address", one.data_path or one.address),
    )
    return tuple(Difference(name, one.lan, found) for name, found in pairs if found != one.lan)


def _update(one: Member, first: Member, differences: tuple[Difference, ...], needs: frozenset[Key]) -> Change:
    verbs = {"manager": "promote", "worker": "demote"}
    changes_role = differences[0].name == "role"
    options = " ".join(f"--{item.name} {item.wanted}" for item in differences)
    return Change(
        key=one.key,
        action=verbs[one.role] if changes_role else "activate",
        reason=", ".join(f"its {item.name} is {item.found}" for item in differences),
        command=f"docker node update {options} {one.node}   # on {first.host.name}",
        carry_out=partial(actions.update, one.host, one.lan, one.role, first.host),
        differences=differences,
        needs=needs,
    )


def _removals(one: Member, first: Member, nodes: Sequence[Node], members: Sequence[Member]) -> list[Change]:
    """Remove the nodes that `one` was before it left and joined again: its address belongs to one node only."""
    claimed = {other.node for other in members}
    dead = [node for node in nodes if node["ID"] not in claimed and actions.address(node) == one.lan]
    return [
        Change(
            key=Key(first.host.name, "swarm node", node["ID"]),
            action="remove",
            reason=f"{one.host.name} is no longer this node",
            command=f"docker node demote {node['ID']}; docker node rm --force {node['ID']}",
            carry_out=partial(actions.remove, first.host, node["ID"]),
            needs=frozenset({one.key}),
        )
        for node in dead
    ]


def _half_out(one: Member) -> str:
    return (
        f"the engine of {one.host.name} is in a swarm but knows no node id: it has begun to leave one and not "
        f"ended. End it: run `docker swarm leave --force` on {one.host.name}, then the same command again"
    )


def _foreign(one: Member, first: Member) -> str:
    where = f"managed by {', '.join(one.managers)}" if one.managers else "whose managers are not known"
    ours = first.lan in {actions.without_port(address) for address in one.managers}
    was = f" ({first.host.name} is in a new one since, or has removed this host from it)" if ours else ""
    said = f"; its engine says: {one.error}" if one.error else ""
    leave = "docker swarm leave --force" if one.control else "docker swarm leave"
    return (
        f"{one.host.name} is in another swarm, {where}{was}, and is not made to leave it{said}. "
        f"If that swarm may lose it, run `{leave}` on {one.host.name}"
    )


def _blocked(one: Member, reason: str, why: str, differences: tuple[Difference, ...] = ()) -> Change:
    return Change(one.key, "join", reason, "", lambda: None, differences, blocked=why)


def _join_by_hand(one: Member, first: Member) -> str:
    token = f"$(ssh {first.host.name} docker swarm join-token -q {one.role})"
    return f'docker swarm join --token "{token}" {_addresses(one)} {first.lan}:{actions.PORT}'


def _addresses(one: Member) -> str:
    return f"--advertise-addr {one.lan} --data-path-addr {one.lan} --listen-addr {one.lan}:{actions.PORT}"
