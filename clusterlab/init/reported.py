"""What an engine reports of its Swarm, as inventories and plays have it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Network
from typing import Any

from clusterlab.errors import HostError
from clusterlab.model import node_labels
from clusterlab.model.addresses import is_ipv4
from clusterlab.model.ipam import network_of

from .found import FoundHost, FoundNetwork, FoundService, NfsMount, host_name

Json = Mapping[str, Any]

_POOL, _SUBNET_SIZE, _DATA_PATH_PORT = "10.0.0.0/8", 24, 4789
_CERT_HOURS, _TASK_HISTORY = 2160, 5
_HOUR = 3600 * 10**9
_STACK = "com.docker.stack.namespace"
_OF_DOCKER = ("bridge", "host", "none", "docker_gwbridge", "ingress")
_OF_THE_ENGINE = "com.docker.network.driver.overlay.vxlanid_list"
_ANYWHERE = ("default-address-pools", "bip", "mtu", "icc", "userland-proxy", "default-ulimits", "debug", "log-level")
_LOCAL_LOGS = ("json-file", "local", "journald")


def hosts(nodes: Sequence[Json]) -> tuple[FoundHost, ...]:
    """The nodes of a Swarm. Raises HostError for one whose address is not known."""
    found: list[FoundHost] = []
    for node in sorted(nodes, key=lambda one: (one["Spec"]["Role"], one["Description"]["Hostname"])):
        role = "swarm_manager" if node["Spec"]["Role"] == "manager" else "swarm_worker"
        hostname = node["Description"]["Hostname"]
        labels = node["Spec"].get("Labels") or {}
        usable = {key: value for key, value in labels.items() if not [*node_labels.issues({key: value})]}
        others = ", ".join(f"{key}={value}" for key, value in sorted(labels.items()) if key not in usable)
        running = str(node["Description"]["Engine"].get("EngineVersion", "?"))
        notes = [f"Docker {running}", *([others] if others else [])]
        notes += [] if node["Status"]["State"] == "ready" else [f"was {node['Status']['State']}"]
        found.append(
            FoundHost(
                host_name(hostname, {one.name for one in found}),
                _address(node),
                ("docker", role),
                node["Spec"]["Availability"],
                notes="; ".join(notes),
                labels=tuple(sorted(usable.items())),
                engine=version(running),
            )
        )
    return tuple(found)


def _address(node: Json) -> str:
    address = str(node["Status"].get("Addr", ""))
    if not is_ipv4(address) or address == "0.0.0.0":  # so a manager reports itself
        address = str((node.get("ManagerStatus") or {}).get("Addr", "")).rpartition(":")[0]
    if not is_ipv4(address):
        hostname = node["Description"]["Hostname"]
        raise HostError(hostname, f"its address is not known to the Swarm ({address or 'none'})")
    return address


def version(text: str) -> tuple[int, int] | None:
    """The first two numbers of an engine's version."""
    found = re.match(r"(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else None


def swarm(cluster: Json) -> Iterator[tuple[str, object]]:
    """Settings of a Swarm that are not Docker's defaults."""
    pools = [str(pool) for pool in cluster.get("DefaultAddrPool") or []]
    size = cluster.get("SubnetSize") or _SUBNET_SIZE
    if (pools and pools != [_POOL]) or size != _SUBNET_SIZE:
        yield "default_addr_pool", pools
        yield "subnet_size", size
    if (port := cluster.get("DataPathPort") or _DATA_PATH_PORT) != _DATA_PATH_PORT:
        yield "data_path_port", port
    spec: Json = cluster.get("Spec") or {}
    expiry = int((spec.get("CAConfig") or {}).get("NodeCertExpiry") or 0)
    if expiry and expiry != _CERT_HOURS * _HOUR:
        yield "cert_expiry", f"{expiry // _HOUR}h" if expiry % _HOUR == 0 else f"{expiry // 10**9}s"
    kept = (spec.get("Orchestration") or {}).get("TaskHistoryRetentionLimit")
    if kept not in (None, _TASK_HISTORY):
        yield "task_history", kept


def engine(daemon: Json) -> Iterator[tuple[str, object]]:
    """Keys of a daemon.json that mean the same on any host, without servers, certificates and credentials."""
    yield from ((key, daemon[key]) for key in _ANYWHERE if key in daemon)
    if daemon.get("log-driver", _LOCAL_LOGS[0]) in _LOCAL_LOGS:
        yield from ((key, daemon[key]) for key in ("log-driver", "log-opts") if key in daemon)


def network(one: Json, pools: Sequence[str]) -> FoundNetwork | None:
    """A network; None for those that every engine has."""
    if one["Name"] in _OF_DOCKER or one.get("Ingress"):
        return None
    configs = (one.get("IPAM") or {}).get("Config") or []
    subnets = tuple(str(config["Subnet"]) for config in configs if config.get("Subnet"))
    options = {key: value for key, value in (one.get("Options") or {}).items() if key != _OF_THE_ENGINE}
    return FoundNetwork(
        one["Name"],
        one["Driver"],
        subnets,
        one["Driver"] != "overlay" or not any(_is_from(subnet, pools or [_POOL]) for subnet in subnets),
        bool(one.get("Attachable")),
        bool(one.get("Internal")),
        tuple(sorted(options.items())),
        _STACK in (one.get("Labels") or {}),
    )


def _is_from(subnet: str, pools: Sequence[str]) -> bool:
    range_ = network_of(subnet)
    if not isinstance(range_, IPv4Network):
        return False
    return any(isinstance(pool, IPv4Network) and range_.subnet_of(pool) for pool in map(network_of, pools))


def nfs(volume: Json) -> NfsMount | None:
    """A volume on a file server; None for any other."""
    options = volume.get("Options") or {}
    kind = str(options.get("type", ""))
    if not kind.startswith("nfs"):
        return None
    words = [word for word in str(options.get("o", "")).split(",") if word]
    named = next((word.partition("=")[2] for word in words if word.startswith("addr=")), "")
    server, _, path = str(options.get("device", "")).rpartition(":")
    others = ",".join(word for word in words if not word.startswith("addr="))
    return NfsMount(volume["Name"], named or server, path, kind, others, _STACK in (volume.get("Labels") or {}))


def service(one: Json) -> FoundService:
    """A service, and the TCP ports that it publishes on every node."""
    ports = (one.get("Endpoint") or {}).get("Ports") or []
    ingress = [port for port in ports if port.get("PublishMode") == "ingress" and port["Protocol"] == "tcp"]
    return FoundService(one["Spec"]["Name"], tuple(sorted({port["PublishedPort"] for port in ingress})))
