"""What is never taken for the lab's own: joined members, other Swarms, objects that others made under a known name."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, cast

import docker.errors
import pytest

from clusterlab.errors import HostError
from clusterlab.remote import Host, Target
from clusterlab.remote.connection import Connections
from clusterlab.resources import (
    removal,
    swarm_actions,
    swarm_kind,
    swarm_membership,
    swarm_services,
    swarm_view,
)
from clusterlab.resources.base import LABEL_LAB, SWARM
from clusterlab.resources.observed import Observed
from clusterlab.resources.scope import Scope, SwarmView, UnseenTask
from clusterlab.resources.swarm_member import Member
from clusterlab.resources.swarm_observed import Swarm

OURS = {LABEL_LAB: "shop"}


def host(name: str) -> Host:
    return Host(Target(name, "192.168.98.11"), Connections())


@dataclass
class Engine:
    """Records what is removed or updated; answers an inspection with `found`."""

    found: dict[str, Any] = field(default_factory=dict)
    calls: list[tuple[str, Any]] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **_: Any) -> Any:
            if name == "inspect_container":
                raise docker.errors.NotFound("gone")
            if name.startswith("inspect"):
                return self.found
            self.calls.append((name, args[0] if args else None))
            return None

        return call


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    one = Engine()

    @contextmanager
    def answers(*_: Any, **__: Any) -> Any:
        yield one

    monkeypatch.setattr(removal, "engine", answers)
    monkeypatch.setattr(swarm_services, "engine", answers)
    return one


def test_a_pending_member_with_a_node_id_is_not_joined_again() -> None:
    first = Member(host("host1"), "10.0.0.1", "manager", "active", "n1", control=True, made_for="shop")
    pending = Member(host("host2"), "10.0.0.2", "worker", "pending")
    node = {"ID": "n1", "Spec": {"Role": "manager", "Availability": "active", "Labels": OURS}}
    joins = {}
    for one in (pending, replace(pending, node="n2")):
        lab = Swarm("shop", first, (first, one), nodes=(node,))
        change = swarm_membership.change(lab, one, frozenset())
        assert change is not None
        joins[one.node] = "swarm leave --force &&" in change.command
    assert joins == {"": True, "n2": False}


def test_joining_looks_again_before_it_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = {"Spec": {"Labels": OURS}, "JoinTokens": {"Worker": "t"}}
    monkeypatch.setattr(swarm_actions, "_inspect", lambda manager: spec)
    monkeypatch.setattr(swarm_actions, "info", lambda one: {"Swarm": {"LocalNodeState": "pending", "NodeID": "n2"}})
    wanted = swarm_actions.Wanted(host("host2"), "worker", "10.0.0.2")
    with pytest.raises(HostError, match="joined meanwhile"):
        swarm_actions.join(wanted, "shop", host("host1"), give_up_first=True)


def test_containers_and_services_are_removed_by_id(engine: Engine) -> None:
    removal.remove_container(host("host1"), "web", "c1")
    removal.remove_service(host("host1"), "web", "s1")
    removal.remove_network(host("host1"), "net", "n1", [])
    assert engine.calls == [
        ("stop", "c1"),
        ("remove_container", "c1"),
        ("remove_service", "s1"),
        ("remove_network", "n1"),
    ]


def test_a_volume_that_is_no_longer_the_labs_stays(engine: Engine) -> None:
    with pytest.raises(HostError, match="not removed"):
        removal.remove_volume(host("host1"), "shop", "data")
    assert engine.calls == []
    engine.found = {"Labels": OURS}
    removal.remove_volume(host("host1"), "shop", "data")
    assert engine.calls == [("remove_volume", "data")]


def test_a_service_that_is_no_longer_the_labs_is_not_updated(engine: Engine) -> None:
    engine.found = {"ID": "s1", "Spec": {"Labels": {}}}
    wanted = cast(Any, SimpleNamespace(name="web", image="i", container={}, template=lambda image: {}))
    engine.found["Id"] = "sha256:1"
    with pytest.raises(HostError, match="not updated"):
        swarm_services._update(Observed("shop", host("host1")), wanted, "s1")
    assert engine.calls == []


def test_what_others_have_in_a_swarm() -> None:
    nodes = [{"ID": "n1", "Spec": {"Labels": OURS}}, {"ID": "n2", "Spec": {}, "Description": {"Hostname": "theirs"}}]
    web = {"Spec": {"Name": "web", "Labels": OURS}}
    key = {"Spec": {"Name": "key", "Labels": {}}}
    assert swarm_kind._of_others("shop", nodes[:1], {"service": [web]}) == ""
    assert swarm_kind._of_others("shop", nodes, {"service": [web], "secret": [key]}) == (
        "others use the Swarm: node theirs, secret key"
    )


def manager(name: str, cluster: str, lab: str = "", node: str = "", others: tuple[str, ...] = ()) -> Observed:
    info = {
        "LocalNodeState": "active",
        "ControlAvailable": True,
        "NodeID": node or name,
        "Cluster": {"ID": cluster, "Spec": {"Labels": {LABEL_LAB: lab}}} if cluster else {},
        "RemoteManagers": [{"NodeID": one} for one in (node or name, *others)],
    }
    return Observed("shop", host(name), {"info": {"Swarm": info}})


def views(monkeypatch: pytest.MonkeyPatch, silent: str, *hosts: Observed) -> tuple[dict[str, str], int]:
    def view(asked: list[Observed], members: object) -> SwarmView:
        if asked[0].name == silent:
            raise HostError(silent, "no leader")
        return SwarmView(asked[0], {})

    monkeypatch.setattr(swarm_view, "_view", view)
    found, errors = swarm_view.swarm_views("shop", hosts, ["host1"])
    return {key: one.at.name for key, one in found.items()}, len(errors)


def test_no_other_swarm_takes_the_place_of_the_labs(monkeypatch: pytest.MonkeyPatch) -> None:
    own, other = manager("host1", "a", "shop"), manager("host2", "b")
    assert views(monkeypatch, "", own, other) == ({SWARM: "host1", "Swarm of host2": "host2"}, 0)
    assert views(monkeypatch, "host1", own, other) == ({"Swarm of host2": "host2"}, 1)
    assert views(monkeypatch, "", other) == ({"Swarm of host2": "host2"}, 0)


def container(service: str, state: str = "running", volume: bool = False) -> dict[str, Any]:
    mounts = [{"Type": "volume", "Name": "a" * 64, "Destination": "/data"}] if volume else []
    labels = {"com.docker.swarm.service.name": service, "com.docker.swarm.task.id": "t"}
    return {"Names": [f"/{service}.1"], "State": state, "Labels": labels, "Mounts": mounts}


@pytest.mark.parametrize(
    ("seen", "image", "may_lose"),
    [
        ([], "new", True),
        ([container("web")], "new", False),
        ([container("web")], "old", True),
        ([container("web", "exited")], "new", True),
        ([container("other")], "new", True),
    ],
)
def test_tasks_that_could_not_be_inspected_may_keep_data(seen: list[Any], image: str, may_lose: bool) -> None:
    """Unless a task of the same image and mounts shows that they have no anonymous volumes."""
    at = Observed("shop", host("host1"), {"containers": seen})
    service = {"Spec": {"TaskTemplate": {"ContainerSpec": {"Image": "new"}}}}
    view = SwarmView(at, {"web": service}, (UnseenTask("web", "host2", {"Image": image}),))
    losses = removal.service_losses(Scope("shop", {"host1": at}, {SWARM: view}, "--allow-data-loss"), "web")
    assert losses == (
        "tasks of service web on host2 could not be inspected: data that they may keep in anonymous volumes would be "
        "lost"
        if may_lose
        else ""
    )


def test_what_is_seen_and_what_is_not_are_both_named() -> None:
    at = Observed("shop", host("host1"), {"containers": [container("web", volume=True)]})
    view = SwarmView(at, {}, (UnseenTask("web", "host2", {}), UnseenTask("other", "host3", {})))
    losses = removal.service_losses(Scope("shop", {"host1": at}, {SWARM: view}, "--allow-data-loss"), "web")
    assert "which would be lost: /data on host1; tasks of service web on host2 could not be inspected" in losses
    assert "host3" not in losses


def test_managers_of_one_swarm_are_one_while_they_elect_a_leader(monkeypatch: pytest.MonkeyPatch) -> None:
    electing = [manager("host1", "", others=("host3",)), manager("host2", "b"), manager("host3", "a", "shop")]
    found, _ = views(monkeypatch, "", *electing)
    assert found == {SWARM: "host1", "Swarm of host2": "host2"}
