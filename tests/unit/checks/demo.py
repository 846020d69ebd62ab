"""A lab, and facts of its hosts, for the tests of preconditions."""

from __future__ import annotations

from clusterlab.checks.preconditions import ContainerRuns, NodeAvailable
from clusterlab.model.inventory import Inventory
from clusterlab.model.lab import Lab

ACTIVE = {"LocalNodeState": "active", "Labels": {"org.clusterlab.lab": "demo"}}
DOWN = {"engine_down": "the Docker engine is not running"}
MANAGERS = ("host1",)
NODE = NodeAvailable("host2", "192.168.98.12", MANAGERS, "demo")
WEB, APP = ContainerRuns("host1", "web"), ContainerRuns("host2", "app")
LAB = Lab(
    Inventory.model_validate(
        {
            "lab": "demo",
            "hosts": {
                "gw": {"address": "192.168.98.1", "roles": ["nfs_server"]},
                "host1": {"address": "192.168.98.11", "roles": ["docker", "swarm_manager"]},
                "host2": {"address": "192.168.98.12", "roles": ["docker", "swarm_worker"]},
            },
        }
    )
)
