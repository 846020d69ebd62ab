"""The play of the test, from inventories of several shapes."""

from __future__ import annotations

from typing import Any

from clusterlab.connectivity.names import PLAY
from clusterlab.connectivity.play import Options, with_test
from clusterlab.connectivity.survey import Export, Seen
from clusterlab.model.inventory import Inventory
from clusterlab.model.lab import Lab
from clusterlab.model.playbook import Play

ON_EXPORTS = ("shares", "renames", "locks", "listings", "permissions")
THREE = ("docker swarm_manager", "docker swarm_worker", "docker swarm_worker")


def lab(*roles: str, **more: Any) -> Lab:
    hosts = {f"n{index}": {"address": f"10.0.0.{index}", "roles": role.split()} for index, role in enumerate(roles, 1)}
    return Lab(Inventory.model_validate({"lab": "office", "machines": "existing", "hosts": hosts, **more}))


def play(of: Lab, seen: Seen | None = None, **options: Any) -> Play:
    return with_test(of, Options(**options), seen).plays[PLAY]


FOREIGN = Export("nfs", "addr=10.0.0.99,nfsvers=4.2,soft", ":/theirs", "shop_data")
SEEN = Seen(
    exports=(FOREIGN, Export("nfs4", "addr=10.0.0.4,rw", ":/a", "own")),
    images=("registry.example.org/shop/web:1",),
    idle=("n3",),
    active=("n1", "n2", "n3"),
)
