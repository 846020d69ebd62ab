"""A network in the terms of the engine's API, and how an existing one differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clusterlab.model.playbook import Network

from .base import LABEL_SPEC, Difference
from .compare import differences, same
from .engine_calls import flags, pairs
from .labels import labels_for, own_labels
from .observed import Json, labels_of
from .scope import SWARM_DRIVERS

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


def network_differences(wanted: WantedNetwork, found: Json) -> Sequence[Difference]:
    """Every option that the engine lists differently from what is wanted."""
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
