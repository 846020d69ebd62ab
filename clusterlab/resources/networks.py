"""Networks: on one host, or made on a Swarm manager for all of them (overlay).

A network cannot be changed: another option means remove and create, around the containers of ours that are on
it. Options that the engine adds by itself are not held against it; that something was taken out of the play
is seen by the spec label.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clusterlab.model.playbook import Network

from .base import LABEL_SPEC, Change, Difference, Key
from .compare import differences, same, told
from .engine_calls import engine, flags, pairs, shell
from .labels import labels_for, not_ours, own_labels
from .observed import Json, Observed, is_task, labels_of
from .removal import (
    foreign_users,
    loses_anonymous,
    network_removal,
    remove_container,
    remove_network,
    remove_service,
    wait_for_tasks_to_end,
)
from .scope import SWARM_DRIVERS, Scope
from .volumes import FLAG

_IPAM = {"subnet": "Subnet", "ip_range": "IPRange", "gateway": "Gateway", "aux_addresses": "AuxiliaryAddresses"}
_SWITCHES = {"attachable": "Attachable", "internal": "Internal", "enable_ipv6": "EnableIPv6"}


@dataclass(frozen=True)
class WantedNetwork:
    """A network as it is to be, as the engine's API says it."""

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


def network_changes(scope: Scope) -> list[Change]:
    """What brings the plays' networks to their wanted state, and removes those that the plays no longer have."""
    changes: list[Change] = []
    wanted: set[Key] = set()
    for play, one in scope.lab.plays.items():
        for name, network in one.networks.items():
            this = wanted_network(scope.lab.name, play, name, network)
            for host in [scope.manager] if this.swarm_wide else scope.lab.expand(network.hosts):
                key = Key(host, "network", name)
                wanted.add(key)
                if scope.answers(key):
                    changes += _brought(scope, scope.observed[host], this)
    for at in scope.observed.values():
        for name in scope.left_from_these_plays(at, at.networks):
            key = Key(at.name, "network", name)
            if key not in wanted and not _elsewhere(at, at.networks[name]):
                changes.append(_removal(scope, at, name))
    return changes


def network_differences(wanted: WantedNetwork, found: Json) -> list[Difference]:
    """Every option that is wanted otherwise than the engine lists it."""
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


def _taken_out(wanted: WantedNetwork, found: Json) -> list[Difference]:
    """What a network has that was made for an earlier state of the play; the engine adds some by itself, too."""
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


def _brought(scope: Scope, at: Observed, wanted: WantedNetwork) -> list[Change]:
    found = at.networks.get(wanted.name)
    key = Key(at.name, "network", wanted.name)
    needs = frozenset({Key(at.name, "swarm", "membership")}) if wanted.swarm_wide else frozenset[Key]()
    create = Change(key, "create", "it is not there", shell(wanted.command), lambda: _create(at, wanted), needs=needs)
    if found is None:
        return [create]
    differing = tuple(network_differences(wanted, found))
    if not at.owns(found):
        blocked = not_ours("network", wanted.name, labels_of(found), f"docker network rm {wanted.name}")
        reason = (
            f"another one of that name is there: {told(differing)}"
            if differing
            else "another one of that name is there"
        )
        return [Change(key, "create", reason, create.command, create.carry_out, differing, blocked=blocked)]
    return [_replacement(scope, at, wanted, differing)] if differing else []


def _users(scope: Scope, at: Observed, found: Json) -> list[tuple[Observed, dict[str, Json]]]:
    """Hosts with their containers on the network: all hosts for a Swarm-wide one."""
    everywhere = list(scope.observed.values()) if found.get("Scope") == "swarm" else [at]
    return [(one, one.containers_on(found["Id"])) for one in everywhere]


def _replacement(scope: Scope, at: Observed, wanted: WantedNetwork, differing: tuple[Difference, ...]) -> Change:
    found = at.networks[wanted.name]
    users = _users(scope, at, found)
    ours = [
        (one.host, name)
        for one, containers in users
        for name, listed in containers.items()
        if one.owns(listed) and not is_task(listed)
    ]
    services = services_on(at, found["Id"])
    foreign = [text for one, containers in users if (text := foreign_users(one, containers))]
    foreign += [f"service {name}" for name in services if not at.owns(at.services[name])]
    losses = [text for one, containers in users for name, c in containers.items() if (text := loses_anonymous(name, c))]
    blocked = (
        f"{'; '.join(foreign)}, which clusterlab did not make, is on it: take that off first, by hand"
        if foreign
        else ""
    )
    flag = ""
    if not blocked and losses and not scope.allow_data_loss:
        blocked, flag = "; ".join(losses), FLAG

    def carry_out() -> None:
        for host, name in ours:
            remove_container(host, name)
        for service in services:
            remove_service(at.host, service)
            wait_for_tasks_to_end([one.host for one, _ in users], service)
        remove_network(at.host, wanted.name, found["Id"], [one.host for one, _ in users])
        _create(at, wanted)

    stop = [["docker", "rm", "--force", "--volumes", name] for host, name in ours if host.name == at.name]
    stop += [["docker", "service", "rm", service] for service in services]
    elsewhere = sorted(f"{name} on {host.name}" for host, name in ours if host.name != at.name)
    also = f"; first removes container {', '.join(elsewhere)}" if elsewhere else ""
    return Change(
        key=Key(at.name, "network", wanted.name),
        action="replace",
        reason=told(differing) + also,
        command=shell(*stop, ["docker", "network", "rm", wanted.name], wanted.command),
        carry_out=carry_out,
        differences=differing,
        blocked=blocked,
        flag=flag,
    )


def _removal(scope: Scope, at: Observed, name: str) -> Change:
    users = _users(scope, at, at.networks[name])
    needs = {Key(one.name, "container", user) for one, containers in users for user in containers}
    needs |= {Key(at.name, "service", service) for service in services_on(at, at.networks[name]["Id"])}
    return network_removal(at, [one for one, _ in users], name, "the play no longer has it", needs=frozenset(needs))


def services_on(at: Observed, network_id: str) -> list[str]:
    """Services whose tasks are on a network."""
    return [
        name
        for name, service in at.services.items()
        if any(one["Target"] == network_id for one in service["Spec"]["TaskTemplate"].get("Networks") or [])
    ]


def _elsewhere(at: Observed, network: Json) -> bool:
    """Whether a network is the Swarm's and seen from a host that does not manage it."""
    return network.get("Scope") == "swarm" and not at.manages_swarm


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
            labels=wanted.labels,
        )
