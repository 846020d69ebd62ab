"""Networks: on one host, or in the Swarm for all of its members (overlay).

A network cannot be changed: another option means remove and create, around the containers and services of ours that
are on it. Options that the engine adds by itself are no differences; that something was taken out of the play shows
in the spec label.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from clusterlab.model.needs import missing, network_needs
from clusterlab.model.playbook import Network

from .base import LABEL_SPEC, SWARM, Change, Command, Difference, Key, Skipped
from .compare import describe, differences, same
from .engine_calls import engine, flags, pairs, shell
from .kind import ResourceKind, skipped
from .labels import is_of_play, labels_for, not_ours, own_labels, play_of
from .observed import Json, Observed, is_task, labels_of
from .ownership import with_owner
from .removal import (
    TaskWait,
    foreign_users,
    is_taken,
    loses_anonymous,
    remove_container,
    remove_network,
    remove_service,
    removed_before,
    service_losses,
    users_of,
    wait_for_tasks_to_end,
)
from .report import Report
from .scope import MANAGERS, SWARM_DRIVERS, Scope, Wants

_MISSING = (
    "`clusterlab apply` creates it; on a Swarm worker an attachable overlay network is known only while a container "
    "there uses it"
)
_IPAM = {"subnet": "Subnet", "ip_range": "IPRange", "gateway": "Gateway", "aux_addresses": "AuxiliaryAddresses"}
_SWITCHES = {"attachable": "Attachable", "internal": "Internal", "enable_ipv6": "EnableIPv6"}


@dataclass(frozen=True)
class WantedNetwork:
    """A network as it should be, in the terms of the engine's API."""

    name: str
    driver: str
    options: dict[str, str]
    switches: dict[str, bool]
    ipam: dict[str, Any]
    labels: dict[str, str]

    @property
    def swarm_wide(self) -> bool:
        return self.driver in SWARM_DRIVERS

    @property
    def command(self) -> list[str]:
        words = ["docker", "network", "create", "--driver", self.driver]
        words += [
            flag
            for flag, key in (("--attachable", "attachable"), ("--internal", "internal"), ("--ipv6", "enable_ipv6"))
            if self.switches[key]
        ]
        words += [] if self.ipam["Driver"] == "default" else ["--ipam-driver", self.ipam["Driver"]]
        words += pairs("--ipam-opt", self.ipam["Options"])
        for config in self.ipam["Config"]:
            words += flags("--subnet", [config["Subnet"]] if "Subnet" in config else [])
            words += flags("--ip-range", [config["IPRange"]] if "IPRange" in config else [])
            words += flags("--gateway", [config["Gateway"]] if "Gateway" in config else [])
            words += pairs("--aux-address", config.get("AuxiliaryAddresses", {}))
        return [*words, *pairs("--opt", self.options), *pairs("--label", self.labels), self.name]


def wanted_network(lab: str, play: str, name: str, network: Network) -> WantedNetwork:
    options = {key: str(value) for key, value in network.driver_opts.items()}
    switches = {key: bool(getattr(network, key)) for key in _SWITCHES}
    configs = [
        {api: value for key, api in _IPAM.items() if (value := getattr(config, key))} for config in network.ipam.config
    ]
    ipam = {"Driver": network.ipam.driver, "Options": dict(network.ipam.options), "Config": configs}
    labels = labels_for(lab, play, [network.driver, options, switches, ipam, network.labels], network.labels)
    return WantedNetwork(name, network.driver, options, switches, ipam, labels)


class NetworkKind(ResourceKind[WantedNetwork, Json]):
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
        """Every option that the engine lists otherwise than wanted."""
        options = found.get("Options") or {}
        ipam = found.get("IPAM") or {}
        found_switches = {key: bool(found.get(api)) for key, api in _SWITCHES.items()}
        listed = [
            *differences("", {"driver": wanted.driver}, {"driver": found.get("Driver")}),
            *differences("driver_opts", wanted.options, {key: options.get(key) for key in wanted.options}),
            *differences("", wanted.switches, found_switches),
            *differences("ipam", {"driver": wanted.ipam["Driver"]}, {"driver": ipam.get("Driver")}),
            *_only_wanted("ipam.options", wanted.ipam["Options"], ipam.get("Options") or {}),
            *_ipam_differences(wanted.ipam["Config"], ipam.get("Config") or []),
            *differences("labels", own_labels(wanted.labels), own_labels(labels_of(found))),
        ]
        spec = labels_of(found).get(LABEL_SPEC)
        if listed or spec in (None, wanted.labels[LABEL_SPEC]):
            return listed
        return _taken_out(wanted, found) or [Difference("spec", wanted.labels[LABEL_SPEC], spec)]

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
                carry_out=partial(_create, at, wanted),
                differences=differing,
                needs=_needs(key),
                blocked=not_ours(self.name, wanted.name, labels_of(found), f"docker network rm {wanted.name}")
                if found
                else "",
                where=at.name,
            )
        return _replacement(scope, key, wanted, found, differing) if differing else None

    def owns(self, lab: str, found: Json) -> bool:
        return is_of_play(lab, labels_of(found))

    def play(self, found: Json) -> str | None:
        return play_of(labels_of(found))

    def labels(self, found: Json) -> Mapping[str, str]:
        return labels_of(found)

    def remove(self, scope: Scope, key: Key, found: Json, reason: str) -> Change | None:
        at, users = scope.at(key), _users(scope, key, found)
        if any(one.action == "replace" and one.key[1:] == key[1:] for one in scope.pending.values()):
            return None  # the host's network becomes the Swarm's, or the other way
        foreign = [text for one, containers in users if (text := foreign_users(one, containers))]
        needs = frozenset[Key]().union(*(removed_before(scope, one, containers) for one, containers in users))
        services = _services(scope, key, found)
        needs |= {Key(key.host, "service", name) for name in services}
        return Change(
            key=key,
            action="remove",
            reason=reason,
            command=_remove_command(key.name, services),
            carry_out=partial(remove_network, at.host, key.name, found["Id"], [one.host for one, _ in users]),
            needs=needs | _needs(key),
            blocked=f"{'; '.join(foreign)}, which clusterlab did not create, is on it: disconnect that first"
            if foreign
            else "",
            where=at.name,
        )


def _taken_out(wanted: WantedNetwork, found: Json) -> list[Difference]:
    """What a network has that was made for an earlier state of the play.

    The engine adds some by itself, too.
    """
    ipam = found.get("IPAM") or {}
    options = {key: value for key, value in (found.get("Options") or {}).items() if key not in wanted.options}
    ipam_options = {
        key: value for key, value in (ipam.get("Options") or {}).items() if key not in wanted.ipam["Options"]
    }
    extra = differences("", {}, {"driver_opts": options, "ipam.options": ipam_options})
    return extra or differences("", {"ipam.config": wanted.ipam["Config"]}, {"ipam.config": ipam.get("Config")})


def _ipam_differences(wanted: list[dict[str, Any]], found: list[dict[str, Any]]) -> list[Difference]:
    """Nothing wanted means that the engine chooses."""
    by_subnet = {config.get("Subnet"): config for config in found}
    listed: list[Difference] = []
    for config in wanted:
        there = by_subnet.get(config.get("Subnet"))
        if there is None:
            listed.append(
                Difference("ipam.config.subnet", config.get("Subnet"), ", ".join(map(str, by_subnet)) or None)
            )
        else:
            listed += _only_wanted("ipam.config", config, there)
            listed += [
                Difference(f"ipam.config.{key}", None, there[key])
                for key in ("IPRange", "AuxiliaryAddresses")
                if key not in config and not same(None, there.get(key))
            ]
    return listed


def _only_wanted(prefix: str, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> list[Difference]:
    return differences(prefix, wanted, {key: found.get(key) for key in wanted})


def _remove_command(name: str, services: Sequence[str]) -> str:
    """Wait for the Swarm to notice that nothing uses the network.

    It does so only a moment after the last task of a service has ended.
    """
    remove = shell(["docker", "network", "rm", name])
    return f"timeout 60 sh -c {shlex.quote(f'until {remove}; do sleep 1; done')}" if services else remove


def _needs(key: Key) -> frozenset[Key]:
    return frozenset({MANAGERS} if key.host == SWARM else ())


def _users(scope: Scope, key: Key, found: Json) -> list[tuple[Observed, dict[str, Json]]]:
    """Hosts with their containers on the network: all hosts for one of the Swarm."""
    hosts = scope.everywhere if found.get("Scope") == "swarm" else [scope.at(key)]
    return [(one, one.containers_on(found["Id"])) for one in hosts]


def _services(scope: Scope, key: Key, found: Json) -> list[str]:
    return scope.swarms[key.host].services_on(found["Id"]) if key.host in scope.swarms else []


def _replacement(
    scope: Scope, key: Key, wanted: WantedNetwork, found: Json, differing: tuple[Difference, ...]
) -> Change:
    at, users, services = scope.at(key), _users(scope, key, found), _services(scope, key, found)
    ours = [
        (one.host, name, listed["Id"])
        for one, containers in users
        for name, listed in containers.items()
        if one.owns(listed) and not is_task(listed)
    ]
    blocked, flag = _kept_back(scope, key, users, services)

    def carry_out() -> None:
        for host, name, container in ours:
            remove_container(host, name, container)
        for service in services:
            remove_service(at.host, service, scope.swarms[key.host].services[service]["ID"])
            wait_for_tasks_to_end([one.host for one, _ in users], service)
        remove_network(at.host, wanted.name, found["Id"], [one.host for one, _ in users])
        _create(at, wanted)

    stop = [shell(["docker", "rm", "--force", "--volumes", name]) for host, name, _ in ours if host.name == at.name]
    gone = [one for one in services if is_taken(scope, Key(key.host, "service", one))]
    stop += [shell(["docker", "service", "rm", one]) for one in services if one not in gone]
    stop += [TaskWait(one).command for one in services]
    stop.append(_remove_command(wanted.name, services))
    if found.get("Scope") == "swarm":  # the manager's own engine notices a moment later, too
        stop.append(f"timeout 60 sh -c 'while docker network inspect {wanted.name} >/dev/null 2>&1; do sleep 1; done'")
    taken = frozenset[Key]().union(*(users_of(one, containers) for one, containers in users))
    return Change(
        key=key,
        action="replace",
        reason=describe(differing),
        command=" && ".join([*stop, shell(wanted.command)]),
        carry_out=carry_out,
        differences=differing,
        needs=_needs(key),
        blocked=blocked,
        flag=flag,
        where=at.name,
        first=tuple(
            Command(host.name, shell(["docker", "rm", "--force", "--volumes", name]))
            for host, name, _ in ours
            if host.name != at.name
        ),
        takes=taken | {Key(key.host, "service", name) for name in services},
    )


def _kept_back(
    scope: Scope, key: Key, users: Sequence[tuple[Observed, dict[str, Json]]], services: Sequence[str]
) -> tuple[str, str]:
    """Why a network must not be replaced, and the flag that would allow it.

    Empty when it may.
    """
    at = scope.at(key)
    foreign = [text for one, containers in users if (text := foreign_users(one, containers))]
    foreign += [f"service {name}" for name in services if not at.owns(scope.swarms[key.host].services[name])]
    if foreign:
        return f"{'; '.join(foreign)}, which clusterlab did not create, is on it: disconnect that first", ""
    if not scope.data_flag:
        return "", ""
    losses = [
        text
        for _, containers in users
        for name, one in containers.items()
        if not is_task(one) and (text := loses_anonymous(name, one))
    ]
    losses += [text for service in services if (text := service_losses(scope, service))]
    return "; ".join(losses), scope.data_flag if losses else ""


def _create(at: Observed, wanted: WantedNetwork) -> None:
    with engine(at.host, f"create network {wanted.name}") as api:
        api.create_network(
            wanted.name,
            driver=wanted.driver,
            options=wanted.options,
            ipam=wanted.ipam,
            check_duplicate=True,
            internal=wanted.switches["internal"],
            attachable=wanted.switches["attachable"] if wanted.swarm_wide else None,
            enable_ipv6=wanted.switches["enable_ipv6"],
            labels=with_owner(wanted.labels),
        )


NETWORK = NetworkKind()
