"""The nodes of a Swarm, asked of one manager.

An inventory for a cluster that has none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from clusterlab.errors import UsageError
from clusterlab.files import make_private, write_atomically
from clusterlab.machines import open_machines
from clusterlab.machines.kinds import EXISTING
from clusterlab.machines.state import LabState
from clusterlab.model import Lab
from clusterlab.model.inventory import Inventory
from clusterlab.progress import Progress
from clusterlab.remote import Hosts
from clusterlab.remote.engine_errors import engine_errors

_UNKNOWN = "127.0.0.1"  # the address of the manager until the Swarm says which one it uses
_MANAGER = "manager"
Json = Mapping[str, Any]


def discovered(manager: str, progress: Progress) -> Path:
    """Write an inventory of all nodes that a manager lists, and return it.

    It is kept with the state of its lab.

    `manager` is what `ssh` is given: [USER@]HOST. The other nodes are reached by their names where the user's SSH
    configuration knows these, and else by the addresses that the Swarm uses. Raises UsageError when the host manages no
    Swarm.
    """
    user, _, address = manager.rpartition("@")
    name = f"cluster-{_label(address)}"
    ssh = {"user": user} if user else {}
    first = {"address": _UNKNOWN, "roles": ["docker", "swarm_manager"], "ssh": {"address": address, **ssh}}
    bootstrap = Lab(_inventory(name, ssh, {_MANAGER: first}))
    with progress.task(name, f"asking {address} for the nodes of the Swarm"):
        own, nodes = _asked(bootstrap, address)
    document = {"lab": name, "machines": EXISTING.name, **({"ssh": ssh} if ssh else {})}
    document["hosts"] = dict(_hosts(nodes, own, address))
    path = LabState(name).folder / "inventory.yml"
    make_private(path.parent)
    write_atomically(path, yaml.safe_dump(document, sort_keys=False))
    return path


def _inventory(name: str, ssh: Json, hosts: Json) -> Inventory:
    return Inventory.model_validate({"lab": name, "machines": EXISTING.name, "ssh": ssh, "hosts": hosts})


def _asked(lab: Lab, address: str) -> tuple[str, Sequence[Json]]:
    """The id of the manager's own node, and every node."""
    with Hosts(open_machines(lab).targets()) as hosts:
        host = hosts[_MANAGER]
        with engine_errors(host, "list the nodes of the Swarm"):
            swarm = host.docker.info()["Swarm"]
            if not swarm.get("ControlAvailable"):
                state = swarm.get("LocalNodeState") or "unknown"
                raise UsageError(
                    f"{address} does not manage a Swarm (state: {state})",
                    remedy="Name a manager: `docker node ls` shows them.",
                )
            return str(swarm["NodeID"]), host.docker.nodes()


def _hosts(nodes: Sequence[Json], own: str, address: str) -> Iterator[tuple[str, Json]]:
    """Each node as a host of an inventory, the one that was asked reached as it was."""
    taken: set[str] = set()
    for node in sorted(nodes, key=lambda one: str(one["Description"]["Hostname"])):
        label = _label(str(node["Description"]["Hostname"]).partition(".")[0])
        name = label if label not in taken else f"{label}-{str(node['ID'])[:6].lower()}"
        taken.add(name)
        role = "swarm_manager" if node["Spec"]["Role"] == "manager" else "swarm_worker"
        host: dict[str, Any] = {"address": _address(node), "roles": ["docker", role]}
        yield name, host | ({"ssh": {"address": address}} if node["ID"] == own else {})


def _address(node: Json) -> str:
    """Where the Swarm reaches a node.

    Of a manager that was once alone, its status knows no address.
    """
    listed = str(node["Status"].get("Addr") or "")
    if listed in ("", "0.0.0.0", "127.0.0.1"):
        listed = str((node.get("ManagerStatus") or {}).get("Addr") or listed)
    return listed.rpartition(":")[0] if listed.count(":") == 1 else listed


def _label(text: str) -> str:
    """A name as inventories have them."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:50].strip("-") or "node"
