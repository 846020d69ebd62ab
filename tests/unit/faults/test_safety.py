"""What may be broken: permission, and how many hosts a fault may take away."""

from __future__ import annotations

from typing import Any

import pytest

from clusterlab.faults.kinds import FAULTS
from clusterlab.faults.safety import allowed, too_much
from clusterlab.faults.scene import Scene
from clusterlab.machines.kinds import MACHINE_KINDS
from clusterlab.machines.outside import ABILITIES
from clusterlab.model import Lab
from clusterlab.model.inventory import Inventory
from clusterlab.remote import Hosts


def inventory(machines: str = "namespaces", managers: int = 1, **more: Any) -> Inventory:
    hosts: dict[str, Any] = {"gw": {"address": "10.1.0.1", "roles": ["nfs_server"]}}
    for number in range(1, 5):
        role = "swarm_manager" if number <= managers else "swarm_worker"
        hosts[f"host{number}"] = {"address": f"10.1.0.1{number}", "roles": ["docker", role]}
    network = {"network": {"subnet": "10.1.0.0/24"}}
    return Inventory.model_validate({"lab": "safe", "machines": machines, "hosts": hosts, **network, **more})


@pytest.mark.parametrize(
    ("machines", "given", "fault", "reason"),
    [
        ("namespaces", None, "power_off", ""),
        ("namespaces", False, "isolate", "allow_faults: false"),
        ("namespaces", ["isolate"], "partition", "does not name partition"),
        ("existing", None, "isolate", "need permission"),
        ("existing", True, "isolate", ""),
        ("existing", True, "fill_disk", "must name it"),
        ("existing", ["fill_disk"], "fill_disk", ""),
    ],
)
def test_permission(machines: str, given: bool | list[str] | None, fault: str, reason: str) -> None:
    more: dict[str, Any] = {} if given is None else {"allow_faults": given}
    found = allowed(FAULTS[fault], inventory(machines, **more))
    assert reason in found
    assert bool(found) is bool(reason)


@pytest.mark.parametrize(
    ("managers", "lost", "blast", "reason"),
    [
        (1, {"host2"}, 1, ""),
        (1, {"host1"}, 1, "the last manager"),
        (1, {"host1"}, 2, ""),
        (3, {"host1"}, 1, ""),
        (3, {"host1", "host2"}, 1, "take down 2 hosts"),
        (3, {"host1", "host2"}, 2, ""),
        (2, {"host1"}, 1, "the quorum of managers"),
    ],
)
def test_blast_radius(managers: int, lost: set[str], blast: int, reason: str) -> None:
    found = too_much(lost, blast, inventory(managers=managers))
    assert reason in found
    assert bool(found) is bool(reason)


def test_files_of_others_are_not_taken_away() -> None:
    assert "serves files" in too_much({"gw"}, 1, inventory("existing"))
    assert not too_much({"gw"}, 1, inventory())


@pytest.mark.parametrize("kind", MACHINE_KINDS.values(), ids=lambda kind: kind.name)
def test_what_a_kind_of_machines_cannot_has_a_reason(kind: Any) -> None:
    wanted = {ability for fault in FAULTS.values() for ability in fault.abilities} | set(ABILITIES.values())
    assert all(ability in kind.abilities or kind.unable.get(ability) for ability in wanted)
    assert not kind.abilities & kind.unable.keys()


@pytest.mark.parametrize("kind", FAULTS.values(), ids=lambda kind: kind.name)
def test_every_fault_says_what_it_does(kind: Any) -> None:
    assert kind.summary.endswith(".")
    assert len(kind.summary) <= 120


ALL = [f"host{number}" for number in range(1, 5)]


CUTS: dict[str, dict[str, Any]] = {"partition": {}, "block": {"port": "2377/tcp"}, "loss": {"percent": 99}}


@pytest.mark.parametrize("kind", CUTS)
@pytest.mark.parametrize(
    ("managers", "given", "lost"),
    [
        (3, {"between": [ALL, ALL]}, 2),
        (3, {"from": ALL, "to": ALL}, 2),
        (3, {"between": [["host1"], ["host2", "host3", "gw"]]}, 1),
        (3, {"between": [["host1", "host4"], ["host2", "host3"]]}, 1),
        (3, {"between": [["host1"], ["host2"]]}, 0),
        (3, {"between": [["host4"], ["host1", "host2", "host3"]]}, 0),
        (3, {"host": "host4"}, 1),
        (2, {"between": [["host1"], ["host2"]]}, 1),
        (0, {"between": [ALL, ALL]}, 0),
    ],
)
def test_a_cut_takes_the_managers_away_that_do_not_reach_the_others(
    kind: str, managers: int, given: dict[str, Any], lost: int
) -> None:
    of_lab = inventory(managers=managers) if managers else inventory(managers=1)
    if not managers:
        of_lab.hosts["host1"].roles.remove("swarm_manager")
    fault = FAULTS[kind]
    params = fault.model.model_validate({**given, **CUTS[kind]})
    found = fault.lost(params, Scene(Lab(of_lab), Hosts({})))
    assert len(found) == lost
