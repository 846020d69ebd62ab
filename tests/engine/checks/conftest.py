"""A lab of real engines for the tests of checks in a file, with a Swarm, and plays made and removed on it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from clusterlab.model import load_inventory
from tests.support.check_cases import Rig
from tests.support.labs import lab_in_swarm

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


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    if os.geteuid() != 0:
        pytest.skip("engines in namespaces need root")
    inventory = tmp_path_factory.mktemp("lab") / "inventory.yml"
    inventory.write_text(INVENTORY.format(pid=os.getpid()))
    with lab_in_swarm(load_inventory(inventory)) as lab:
        yield Rig(inventory, lab.hosts, lab.machines.unsupported())
