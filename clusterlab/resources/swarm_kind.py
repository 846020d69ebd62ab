"""Nodes of the lab's Swarm as a kind of resource.

What the inventory wants of them, and what the managers report.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from clusterlab.errors import ClusterlabError, UsageError
from clusterlab.model.inventory import DATA_PATH, Availability
from clusterlab.model.lab import Lab
from clusterlab.model.swarm import Swarm as Settings
from clusterlab.remote import Host
from clusterlab.remote.engine_errors import engine_errors

from . import managers, swarm, swarm_actions, swarm_member, swarm_nodes
from .base import Change, Difference, Key
from .host_kind import HostKind, Role, pending_on
from .labels import is_ours
from .observed import Json, Observed, labels_of
from .report import Report
from .scope import Scope, Wants
from .swarm_member import Member, SwarmRole
from .swarm_observed import Swarm, reference

REMOVE_NODES, LEAVE = "--remove-nodes", "--swarm"
_MEMBERSHIP = "membership"


@dataclass(frozen=True)
class WantedNode:
    """A node as the inventory wants it.

    `availability` None leaves that to the Swarm's owner.
    """

    lan: str
    role: SwarmRole
    availability: Availability | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    overlay: str = ""  # the address of overlay traffic; empty: lan


class SwarmKind(HostKind[WantedNode, Member]):
    """Membership in the lab's Swarm, with role and availability.

    Nodes depend on each other, so they are one plan.
    """

    name = "swarm"
    runs = True
    reports = (Report("node", lambda engine, name: engine.inspect_node(name)),)

    def asked(self, lab: Lab, host: str) -> Iterator[tuple[Role, WantedNode]]:
        at = lab.inventory.hosts[host]
        if host in lab.inventory.swarm_hosts:
            role: SwarmRole = "manager" if "swarm_manager" in at.roles else "worker"
            overlay = str(at.addresses.get(DATA_PATH, ""))
            yield Role(_MEMBERSHIP), WantedNode(str(at.address), role, at.availability, at.labels, overlay)

    def manual(self, wanted: WantedNode) -> str:
        addresses = f"--advertise-addr {wanted.lan} --data-path-addr {wanted.overlay or wanted.lan}"
        return f"docker swarm init {addresses}   # on the first manager; `docker swarm join {addresses}` on the others"

    def questions(self, at: Observed, wanted: Mapping[Key, WantedNode] | None) -> Mapping[str, str]:
        return {self.name: swarm_member.QUESTION} if wanted is None or wanted else {}

    def observe(self, scope: Scope) -> Mapping[Key, Member]:
        """What the engines report; only a manager knows of the lab's Swarm whose it is."""
        found = {}
        for at in scope.everywhere:
            info = at.info.get("Swarm") or {}
            if info.get("LocalNodeState", "inactive") != "inactive":
                role: SwarmRole = "manager" if info.get("ControlAvailable") else "worker"
                found[Key(at.name, self.name, _MEMBERSHIP)] = _member(at, WantedNode("", role))
        return found

    def differences(self, wanted: WantedNode, found: Member) -> Sequence[Difference]:
        control = "manager" if found.control else "worker"
        return () if control == wanted.role else (Difference("role", wanted.role, control),)

    def change(self, wants: Wants, scope: Scope, key: Key, wanted: WantedNode, found: Member | None) -> Change | None:
        return next((change for change in self.changes(wants, scope) if change.key == key), None)

    def changes(self, wants: Wants, scope: Scope) -> Iterator[Change]:
        inventory, wanted = wants.lab.inventory, self.wanted(wants)
        if not wanted:
            return
        if not inventory.with_role("swarm_manager"):
            raise UsageError(
                f"the lab {wants.lab.name} has Swarm workers but no manager",
                remedy="Give one Docker host the role swarm_manager.",
            )
        members = tuple(
            _member(scope.observed[key.host], node) if key.host in scope.observed else _silent(scope, key, node)
            for key, node in wanted.items()
        )
        observed = _observed(scope, members, inventory.swarm)
        for host, note in swarm.notes(observed):
            scope.progress.say(host, note)
        needs = {
            one.host.name: pending_on(scope, one.host.name, "engine", "engine settings", "host") for one in members
        }
        yield from swarm.changes(observed, needs, REMOVE_NODES in scope.allowed)

    def owns(self, lab: str, found: Member) -> bool:
        return True  # `kept` shows which nodes were added by clusterlab: only the managers know

    def kept(self, scope: Scope, key: Key, found: Member) -> str:
        node = _nodes(scope).get(found.node)
        if node is None or not swarm_nodes.joined_by(node, scope.name):
            return "clusterlab did not add its node to the Swarm"
        if LEAVE not in scope.allowed:
            return f"nodes stay in the Swarm unless {LEAVE} is given"
        return _used_by_others(scope, found)

    def remove(self, scope: Scope, key: Key, found: Member, reason: str) -> Change | None:
        """Leave the Swarm; the last manager ends it. Workers go before managers."""
        at, everywhere = scope.at(key), self.observe(scope)
        before = {one for one, member in everywhere.items() if member.control < found.control}
        stays = [one for one, member in everywhere.items() if member.control and self.kept(scope, one, member)]
        asked = scope.at(stays[0]).host if stays else None
        return Change(
            key=key,
            action="leave",
            reason=reason,
            command="docker swarm leave --force" if found.control else "docker swarm leave",
            carry_out=partial(_leave, at, found, asked),
            needs=frozenset(before),
        )


SWARM_KIND = SwarmKind()


def _leave(at: Observed, found: Member, manager: Host | None) -> None:
    """Leave the Swarm, and have a manager that stays in it remove the node."""
    if manager and found.control:
        wanted = swarm_actions.Wanted(at.host, "worker", found.lan, None, anywhere=True)
        swarm_actions.update(wanted, manager)
    swarm_actions.leave(at.host)
    if manager:
        swarm_actions.remove(manager, found.node)


def _used_by_others(scope: Scope, found: Member) -> str:
    """Why a node stays in its Swarm.

    What others have in it ends, or moves, when the node leaves; else nothing.
    """
    for at in scope.everywhere:
        if not at.manages_swarm:
            continue
        try:
            nodes = swarm_nodes.list_nodes(at.host)
            if all(one["ID"] != found.node for one in nodes):
                continue
            with engine_errors(at.host, "list what is in the Swarm"):
                api: Any = at.host.docker
                networks = [one for one in api.networks(filters={"scope": "swarm"}) if not one.get("Ingress")]
                listed = {"service": api.services(), "secret": api.secrets(), "config": api.configs()}
                listed["network"] = networks
        except ClusterlabError:  # another manager may answer; without any, the node stays
            continue
        # Nodes of others stay in the Swarm without a worker; without a manager they may lose it.
        return _of_others(scope.name, nodes if found.control else [], listed)
    return "no manager reports whether others use the Swarm"


def _of_others(lab: str, nodes: Sequence[managers.Node], listed: Mapping[str, Sequence[Json]]) -> str:
    """What a Swarm has that was not added for the lab, for people.

    Nodes, and objects by their kind.
    """
    others = [
        f"node {(node.get('Description') or {}).get('Hostname') or node['ID']}"
        for node in nodes
        if not swarm_nodes.joined_by(node, lab)
    ]
    others += [
        f"{kind} {one.get('Name') or one['Spec']['Name']}"
        for kind, objects in listed.items()
        for one in objects
        if not is_ours(lab, labels_of(one))
    ]
    return f"others use the Swarm: {', '.join(sorted(others))}" if others else ""


def _nodes(scope: Scope) -> dict[str, managers.Node]:
    """The nodes that managers among the hosts know, by id."""
    known: dict[str, managers.Node] = {}
    for at in scope.everywhere:
        if at.manages_swarm and (at.info["Swarm"].get("NodeID") not in known):
            try:
                known |= {node["ID"]: node for node in swarm_nodes.list_nodes(at.host)}
            except ClusterlabError:  # what no manager knows is kept, with that reason
                continue
    return known


def _observed(scope: Scope, members: tuple[Member, ...], settings: Settings) -> Swarm:
    """The lab's Swarm, asked of its leader, or of another manager that answers."""
    lab, named = scope.name, {one.host.name: one for one in members}
    candidates = {one.host.name: scope.observed[one.host.name].info for one in swarm_member.at_work(members, lab)}
    found = Swarm(lab, reference(members, lab), members, settings=settings)
    if not candidates:
        return found
    try:
        name, nodes = managers.first_answer(list(candidates), lambda one: swarm_nodes.list_nodes(named[one].host))
    except ClusterlabError as error:
        return replace(found, trouble=f"{error.message.rstrip('.')}. {error.remedy}")
    asked = named[managers.preferred(candidates, nodes) or name]
    if not asked.made_for:  # an engine does not report it while its managers elect a leader
        known = replace(asked, made_for=swarm_actions.made_for(asked.host))
        members = tuple(known if one is asked else one for one in members)
        asked = known
    cluster = candidates[asked.host.name]["Swarm"].get("Cluster") or {}
    return replace(found, asked=asked, members=members, nodes=nodes, cluster=cluster)


def _silent(scope: Scope, key: Key, wanted: WantedNode) -> Member:
    """A member that could not be asked."""
    host = scope.silent[key.host]
    return Member(
        host,
        wanted.lan,
        wanted.role,
        "unknown",
        availability=wanted.availability,
        labels=wanted.labels,
        overlay=wanted.overlay,
    )


def _member(at: Observed, wanted: WantedNode) -> Member:
    file, root = swarm_member.STATE_FILE, at.info.get("DockerRootDir") or swarm_member.ROOT
    state = at.answers.get(SWARM_KIND.name, "")
    if root != swarm_member.ROOT:
        state = at.host.run(["cat", file.replace(swarm_member.ROOT, root)]).stdout
    return swarm_member.member(
        at.host, wanted.lan, wanted.role, at.info or None, state, wanted.availability, wanted.labels, wanted.overlay
    )
