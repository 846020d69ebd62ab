"""Labs of real engines in namespaces, for tests."""

from __future__ import annotations

from ipaddress import ip_network

from clusterlab.model.inventory import Inventory
from clusterlab.model.lab import Lab


def namespaces_lab(name: str, subnet: str, docker_hosts: int = 2, **more: object) -> Lab:
    """A lab with gw (without a role) and host1, host2, ...: Docker hosts, the first one made for a Swarm's manager."""
    addresses = list(ip_network(subnet).hosts())
    hosts: dict[str, object] = {"gw": {"address": str(addresses[0])}}
    for number in range(1, docker_hosts + 1):
        swarm_role = "swarm_manager" if number == 1 else "swarm_worker"
        hosts[f"host{number}"] = {"address": str(addresses[9 + number]), "roles": ["docker", swarm_role]}
    inventory = {"lab": name, "machines": "namespaces", "network": {"subnet": subnet}, "hosts": hosts, **more}
    return Lab(Inventory.model_validate(inventory))
