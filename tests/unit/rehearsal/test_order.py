"""What can be rehearsed, in which order, and what is told of two views of a cluster."""

from __future__ import annotations

from typing import Any

import pytest

from clusterlab.errors import UsageError
from clusterlab.model.inventory import Inventory
from clusterlab.rehearsal.order import majority_remains, order, require_rehearsable
from clusterlab.rehearsal.view import View, differences


def inventory(**changed: Any) -> Inventory:
    hosts = {
        "gw": {"address": "10.1.0.1"},
        "host1": {"address": "10.1.0.11", "roles": ["docker", "swarm_manager"]},
        "host2": {"address": "10.1.0.12", "roles": ["docker", "swarm_manager"]},
        "host3": {"address": "10.1.0.13", "roles": ["docker", "swarm_worker"]},
    }
    known = {"lab": "tried", "machines": "namespaces", "network": {"subnet": "10.1.0.0/24"}, "hosts": hosts}
    return Inventory.model_validate({**known, **changed})


def test_managers_come_last_and_the_leader_after_them() -> None:
    assert order(inventory(), "host1") == ["gw", "host3", "host2", "host1"]
    assert order(inventory(), "") == ["gw", "host3", "host1", "host2"]


@pytest.mark.parametrize(
    ("reachable", "without", "remains"),
    [
        (["a", "b", "c"], "a", True),
        (["a", "b"], "a", False),  # the third is away already
        (["a"], "a", True),  # there is no other way
    ],
)
def test_majority(reachable: list[str], without: str, remains: bool) -> None:
    assert majority_remains(reachable, without) is remains


def test_options_labels_and_roles_can_be_rehearsed() -> None:
    hosts = inventory().model_dump(mode="json")["hosts"]
    changed = {**hosts["host3"], "roles": ["docker", "swarm_manager"], "labels": {"disk": "ssd"}}
    require_rehearsable(inventory(), inventory(engine={"mtu": 1400}, hosts={**hosts, "host3": changed}))


def machines(kind: str, release: str | None = None, **network: Any) -> Inventory:
    """An inventory of machines of a kind, with a release of host2 and another network."""
    hosts = inventory().model_dump(mode="json", exclude_unset=True)["hosts"]
    hosts["host2"]["release"] = release
    return inventory(machines=kind, hosts=hosts, network={"subnet": "10.1.0.0/24", **network})


@pytest.mark.parametrize("after", [{"release": "forky"}, {"mtu": 1400}])
def test_a_release_or_the_mtu_can_be_rehearsed_where_machines_can_become_others(after: dict[str, Any]) -> None:
    require_rehearsable(machines("namespaces"), machines("namespaces", **after))
    with pytest.raises(UsageError, match=r"rehearsed: (network.mtu|hosts.host2.release)$") as raised:
        require_rehearsable(machines("qemu"), machines("qemu", **after))
    assert "release" not in raised.value.remedy
    assert "mtu" not in raised.value.remedy


def test_a_release_and_the_mtu_are_rehearsed_one_after_the_other() -> None:
    with pytest.raises(UsageError, match=r"differ in network\.mtu and in the release of host2"):
        require_rehearsable(machines("namespaces"), machines("namespaces", "forky", mtu=1400))


def test_another_subnet_needs_other_machines() -> None:
    with pytest.raises(UsageError, match=r"rehearsed: network.subnet$"):
        require_rehearsable(machines("namespaces"), machines("namespaces", subnet="10.1.0.0/16"))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"lab": "other"}, "differ in more than can be rehearsed: lab$"),
        ({"machines": "qemu"}, "rehearsed: machines$"),
        ({"hosts": {"host1": {"address": "10.1.0.11", "roles": ["docker"]}}}, "hosts.gw, hosts.host2, hosts.host3$"),
    ],
)
def test_more_than_a_running_lab_can_be_given(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        require_rehearsable(inventory(), inventory(**changed))


def test_machines_of_others_are_not_rehearsed_on() -> None:
    with pytest.raises(UsageError, match="for a lab whose machines clusterlab creates"):
        require_rehearsable(inventory(machines="existing"), inventory(machines="existing"))


def test_differences_tell_moved_from_missing_tasks() -> None:
    before = View(
        {"host1 role": "worker", "host1 state": "ready"}, {"web": {"host1": 1, "host2": 1}, "db": {"host1": 1}}
    )
    after = View({"host1 role": "manager", "host1 state": "ready"}, {"web": {"host2": 2}, "db": {}})
    assert differences(before, after) == [
        "host1 role: worker before, manager now",
        "db: 1 tasks before, 0 now",
        "web: tasks on host1, host2 before, on host2 (2) now",
    ]
    assert differences(before, before) == []
