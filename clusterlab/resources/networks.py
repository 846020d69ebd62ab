"""Networks: on one host, or in the Swarm for all of its members (overlay).

A network cannot be changed: another option means remove and create, around the containers and services of ours that
are on it. Options that the engine adds by itself are not differences; that something was taken out of the play shows
in the spec label.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial

from clusterlab.model.needs import missing, network_needs

from .base import SWARM, Change, Difference, Key, Skipped
from .engine_calls import shell
from .kind import skipped
from .labelled import LabelledKind
from .labels import not_ours
from .network_replacement import create, needs_of, remove_command, replacement, services_on, users_on
from .network_spec import WantedNetwork, network_differences, wanted_network
from .observed import Json, is_task, labels_of, service_of
from .removal import (
    foreign_users,
    remove_network,
    removed_before,
)
from .report import Report
from .scope import SWARM_DRIVERS, Scope, Wants

_MISSING = (
    "`clusterlab apply` creates it; on a Swarm worker an attachable overlay network is known only while a container "
    "there uses it"
)


class NetworkKind(LabelledKind[WantedNetwork]):
    """Networks on each of their hosts, and those of the Swarm."""

    name = "network"
    listings = frozenset({"networks", "containers"})
    reports = (Report("network", lambda engine, name: engine.inspect_network(name), missing=_MISSING),)

    def wanted(self, wants: Wants) -> Mapping[Key, WantedNetwork]:
        return {
            Key(host, self.name, name): wanted_network(wants.lab.name, play, name, network)
            for play, one in wants.plays()
            for name, network in one.networks.items()
            for host in ([SWARM] if network.driver in SWARM_DRIVERS else wants.lab.expand(network.hosts))
        }

    def left_out(self, wants: Wants) -> Iterator[Skipped]:
        for _, play in wants.plays():
            for name, network in play.networks.items():
                swarm_wide = network.driver in SWARM_DRIVERS
                hosts = wants.lab.inventory.docker_hosts if swarm_wide else wants.lab.expand(network.hosts)
                needs = {host: missing(network_needs(play, name, host), wants.capabilities) for host in hosts}
                if swarm_wide:
                    needs = {SWARM: next(iter(needs.values())) if all(needs.values()) else None} if needs else {}
                for host, need in needs.items():
                    yield from skipped(Key(host, self.name, name), need, wants)

    def manual(self, wanted: WantedNetwork) -> str:
        return shell(wanted.command)

    def observe(self, scope: Scope) -> Mapping[Key, Json]:
        """A Swarm's networks as its manager reports them.

        Other members know only those that they use.
        """
        found = {
            Key(at.name, self.name, name): one
            for at in scope.everywhere
            for name, one in at.networks.items()
            if one.get("Scope") != "swarm"
        }
        for swarm, view in scope.swarms.items():
            found |= {Key(swarm, self.name, name): one for name, one in view.networks.items()}
        return found

    def differences(self, wanted: WantedNetwork, found: Json) -> Sequence[Difference]:
        return network_differences(wanted, found)

    def change(self, wants: Wants, scope: Scope, key: Key, wanted: WantedNetwork, found: Json | None) -> Change | None:
        at = scope.at(key)
        if found is None:
            found = at.networks.get(wanted.name)  # a host's network that should be the Swarm's, or the other way
        differing = tuple(self.differences(wanted, found)) if found else ()
        if found is None or not self.owns(scope.name, found):
            return Change(
                key=key,
                action="create",
                reason="another one of that name exists" if found else "it does not exist",
                command=shell(wanted.command),
                carry_out=partial(create, at, wanted),
                differences=differing,
                needs=needs_of(key),
                blocked=not_ours(self.name, wanted.name, labels_of(found), f"docker network rm {wanted.name}")
                if found
                else "",
                where=at.name,
            )
        return replacement(scope, key, wanted, found, differing) if differing else None

    def remove(self, scope: Scope, key: Key, found: Json, reason: str) -> Change | None:
        at, users = scope.at(key), users_on(scope, key, found)
        if any(one.action == "replace" and one.key[1:] == key[1:] for one in scope.pending.values()):
            return None  # the host's network becomes the Swarm's, or the other way
        # The tasks of a stack have no label of the lab; they end with their service.
        ending = {one for one in scope.pending if one.kind == "stack service" and one.host == key.host}
        foreign = [text for one, containers in users if (text := foreign_users(one, _staying(containers, ending)))]
        needs = frozenset[Key]().union(*(removed_before(scope, one, containers) for one, containers in users))
        services = services_on(scope, key, found)
        needs |= {Key(key.host, "service", name) for name in services} | ending
        return Change(
            key=key,
            action="remove",
            reason=reason,
            command=remove_command(key.name, services),
            carry_out=partial(remove_network, at.host, key.name, found["Id"], [one.host for one, _ in users]),
            needs=needs | needs_of(key),
            blocked=f"{'; '.join(foreign)}, which clusterlab did not create, is on it: disconnect that first"
            if foreign
            else "",
            where=at.name,
        )


def _staying(containers: Mapping[str, Json], ending: Collection[Key]) -> dict[str, Json]:
    """Containers that are no tasks of services that end."""
    services = {one.name for one in ending}
    return {name: one for name, one in containers.items() if not is_task(one) or service_of(one) not in services}


NETWORK = NetworkKind()
