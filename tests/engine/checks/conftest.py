"""One lab of real engines for all tests of checks, with a Swarm, and plays made and removed on it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from check_cases import Rig

from clusterlab.machines import open_machines
from clusterlab.model import load_inventory
from clusterlab.progress import Silent
from clusterlab.remote import Hosts
from clusterlab.resources import swarm_actions

INVENTORY = """
lab: checks-{pid}
machines: namespaces
network: {{subnet: 10.61.0.0/24}}
hosts:
  gw: {{address: 10.61.0.1, roles: [nfs_server]}}
  host1: {{address: 10.61.0.11, roles: [docker, swarm_manager]}}
  host2: {{address: 10.61.0.12, roles: [docker, swarm_worker]}}
nfs: {{exports: [{{path: /shares, clients: "*"}}, {{path: /squashed, clients: "*"}}]}}
images:
  shell: {{build: busybox}}
  web: {{build: nginx}}
  db: {{build: mariadb}}
  elo: {{build: busybox, user: {{name: elo, uid: 1000}}}}
  store: {{build: busybox, volumes: [/var/lib/store]}}
"""


@pytest.fixture(scope="session")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    if os.geteuid() != 0:
        pytest.skip("engines in namespaces need root")
    inventory = tmp_path_factory.mktemp("lab") / "inventory.yml"
    inventory.write_text(INVENTORY.format(pid=os.getpid()))
    lab = load_inventory(inventory)
    machines = open_machines(lab)
    try:
        machines.up(Silent())
        with Hosts(machines.targets()) as hosts:
            addresses = {name: str(host.address) for name, host in lab.inventory.hosts.items()}
            swarm_actions.init(hosts["host1"], addresses["host1"], lab.name)
            swarm_actions.join(hosts["host2"], addresses["host2"], "worker", hosts["host1"])
            yield Rig(inventory, hosts, machines.unsupported())
    finally:
        machines.down(Silent())
