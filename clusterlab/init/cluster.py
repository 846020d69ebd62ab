"""A running cluster, read through one of its managers.

Nothing is changed there, and no other host is contacted.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

from clusterlab.errors import HostError, UsageError
from clusterlab.machines import open_machines
from clusterlab.machines.kinds import EXISTING
from clusterlab.model import Lab
from clusterlab.model.addresses import is_ipv4
from clusterlab.model.inventory import Inventory
from clusterlab.progress import Progress
from clusterlab.remote import Hosts
from clusterlab.remote.engine_errors import engine_errors

from .found import Found, FoundHost, FoundService, NfsMount, host_name

Json = Mapping[str, Any]
_ASKED = "asked"  # the host that is asked, whatever it is called in the cluster


def read(host: str, lab: str, progress: Progress) -> Found:
    """What a host's engine reports of itself or of its Swarm.

    `host` is as for `ssh`, USER@HOST too.

    Raises UsageError for a host that is a worker, HostError when it cannot be asked.
    """
    user, _, name = host.rpartition("@")
    ssh = (("user", user),) if user else ()
    with Hosts(open_machines(_alone(name, ssh)).targets()) as hosts:
        asked = hosts[_ASKED]
        with progress.task(name, "reading the cluster"), engine_errors(asked, "read the cluster"):
            api = asked.docker
            info: Json = api.info()
            swarm: Json = info.get("Swarm") or {}
            active = swarm.get("LocalNodeState") == "active"
            if active and not swarm.get("ControlAvailable"):
                managers = ", ".join(one["Addr"].rpartition(":")[0] for one in swarm.get("RemoteManagers") or [])
                raise UsageError(
                    f"{name} is a worker of its Swarm, and only managers know the nodes",
                    remedy=f"Name a manager: {managers}.",
                )
            nodes: list[Any] = api.nodes() if active else []
            services: list[Any] = api.services() if active else []  # type: ignore[no-untyped-call]
            networks: list[Json] = api.networks()
            volumes: list[Json] = api.volumes().get("Volumes") or []
    alone = FoundHost(host_name(str(info.get("Name"))), asked.target.address, ("docker",), notes=_engine(info))
    return Found(
        lab,
        f"the cluster of {name}",
        _hosts(nodes) or (alone,),
        ssh,
        tuple(_network(one) for one in networks if one["Name"] not in ("bridge", "host", "none", "docker_gwbridge")),
        tuple(mount for one in volumes if (mount := _nfs(one))),
        tuple(sorted((_service(one) for one in services), key=lambda one: one.name)),
    )


def _alone(name: str, ssh: tuple[tuple[str, str], ...]) -> Lab:
    """A lab of existing machines with that host alone."""
    try:
        address = name if is_ipv4(name) else socket.gethostbyname(name)
    except OSError:
        address = "0.0.0.0"  # the user's SSH configuration knows it by this name
    host = {"address": address, "ssh": {**dict(ssh), "address": name}}
    return Lab(Inventory.model_validate({"lab": "reading", "machines": EXISTING.name, "hosts": {_ASKED: host}}))


def _hosts(nodes: list[Json]) -> tuple[FoundHost, ...]:
    found: list[FoundHost] = []
    for node in sorted(nodes, key=lambda one: (one["Spec"]["Role"], one["Description"]["Hostname"])):
        role = "swarm_manager" if node["Spec"]["Role"] == "manager" else "swarm_worker"
        address = node["Status"].get("Addr", "")
        if not is_ipv4(address) or address == "0.0.0.0":  # so a manager reports itself
            address = (node.get("ManagerStatus") or {}).get("Addr", "").rpartition(":")[0]
        hostname = node["Description"]["Hostname"]
        if not is_ipv4(address):
            raise HostError(hostname, f"its address is not known to the Swarm ({address or 'none'})")
        labels = ", ".join(f"{key}={value}" for key, value in sorted((node["Spec"].get("Labels") or {}).items()))
        notes = [f"Docker {node['Description']['Engine'].get('EngineVersion', '?')}", *([labels] if labels else [])]
        notes += [] if node["Status"]["State"] == "ready" else [f"was {node['Status']['State']}"]
        known = host_name(hostname, {one.name for one in found})
        found.append(FoundHost(known, address, ("docker", role), node["Spec"]["Availability"], notes="; ".join(notes)))
    return tuple(found)


def _engine(info: Json) -> str:
    return f"Docker {info.get('ServerVersion', '?')}, {info.get('OperatingSystem', '?')}"


def _network(network: Json) -> str:
    subnets = [one["Subnet"] for one in (network.get("IPAM") or {}).get("Config") or [] if one.get("Subnet")]
    return " ".join([network["Name"], f"({network['Driver']})", *subnets])


def _nfs(volume: Json) -> NfsMount | None:
    options = volume.get("Options") or {}
    if not str(options.get("type", "")).startswith("nfs"):
        return None
    words = dict(word.partition("=")[::2] for word in str(options.get("o", "")).split(","))
    server, _, path = str(options.get("device", "")).rpartition(":")
    return NfsMount(volume["Name"], words.get("addr") or server, path)


def _service(service: Json) -> FoundService:
    ports = (service.get("Endpoint") or {}).get("Ports") or []
    ingress = [one for one in ports if one.get("PublishMode") == "ingress" and one["Protocol"] == "tcp"]
    published = {one["PublishedPort"] for one in ingress}
    return FoundService(service["Spec"]["Name"], tuple(sorted(published)))
