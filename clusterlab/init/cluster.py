"""A running cluster, read through one of its managers.

Nothing is changed there, and no other host is contacted.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from typing import Any

from clusterlab.errors import UsageError
from clusterlab.machines import open_machines
from clusterlab.machines.kinds import EXISTING
from clusterlab.model import Lab
from clusterlab.model.addresses import is_ipv4
from clusterlab.model.inventory import Inventory
from clusterlab.progress import Progress
from clusterlab.remote import Host, Hosts
from clusterlab.remote.engine_errors import engine_errors

from . import reported
from .found import Found, FoundHost, host_name

Json = Mapping[str, Any]
_DAEMON = "[ ! -e /etc/docker/daemon.json ] || cat /etc/docker/daemon.json"


def read(host: str, lab: str, progress: Progress) -> Found:
    """What a host's engine reports of itself or of its Swarm.

    `host` is as for `ssh`, USER@HOST too.

    Raises UsageError for a host that is a worker, HostError when it cannot be asked.
    """
    user, _, name = host.rpartition("@")
    ssh = (("user", user),) if user else ()
    known = host_name(name)  # whatever it is called in the cluster
    with Hosts(open_machines(_alone(known, name, ssh)).targets()) as hosts:
        asked = hosts[known]
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
            cluster: Json = api.inspect_swarm() if active else {}
            networks: list[Json] = api.networks()
            volumes: list[Json] = api.volumes().get("Volumes") or []
            daemon = _daemon(asked)
    pools = [str(pool) for pool in cluster.get("DefaultAddrPool") or []]
    return Found(
        lab,
        f"the cluster of {name}",
        reported.hosts(nodes) or (_single(info, asked.target.address),),
        ssh,
        tuple(found for one in networks if (found := reported.network(one, pools))),
        tuple(mount for one in volumes if (mount := reported.nfs(one))),
        tuple(sorted((reported.service(one) for one in services), key=lambda one: one.name)),
        tuple(reported.swarm(cluster)),
        tuple(reported.engine(daemon)),
    )


def _alone(known: str, name: str, ssh: tuple[tuple[str, str], ...]) -> Lab:
    """A lab of existing machines with that host alone."""
    try:
        address = name if is_ipv4(name) else socket.gethostbyname(name)
    except OSError:
        address = "0.0.0.0"  # the user's SSH configuration knows it by this name
    host = {"address": address, "ssh": {**dict(ssh), "address": name}}
    return Lab(Inventory.model_validate({"lab": "reading", "machines": EXISTING.name, "hosts": {known: host}}))


def _single(info: Json, address: str) -> FoundHost:
    """A host that is in no Swarm."""
    running = str(info.get("ServerVersion", "?"))
    notes = f"Docker {running}, {info.get('OperatingSystem', '?')}"
    engine = reported.version(running)
    return FoundHost(host_name(str(info.get("Name"))), address, ("docker",), notes=notes, engine=engine)


def _daemon(host: Host) -> Json:
    """The host's daemon.json; empty where it has none, or one that is not an object."""
    try:
        content = json.loads(host.run(_DAEMON).stdout or "{}")
    except json.JSONDecodeError:
        return {}
    return content if isinstance(content, dict) else {}
