"""What members of a Swarm are, as their answers say, and what of them changes: no host is asked here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clusterlab.model.swarm import Swarm as Settings
from clusterlab.remote import Host, Target
from clusterlab.remote.connection import Connections
from clusterlab.resources import (
    managers,
    swarm,
    swarm_settings,
)
from clusterlab.resources.base import LABEL_LAB
from clusterlab.resources.ownership import with_owner
from clusterlab.resources.swarm_member import Member
from clusterlab.resources.swarm_observed import Swarm, reference


def host(name: str = "host1") -> Host:
    return Host(Target(name, "192.168.98.11"), Connections())


NODES: list[dict[str, Any]] = [
    {
        "ID": "n1",
        "Spec": {"Role": "manager", "Availability": "active"},
        "Status": {"State": "ready", "Addr": "192.168.98.11"},
        "ManagerStatus": {"Reachability": "reachable", "Addr": "192.168.98.11:2377"},
    },
    {
        "ID": "n2",
        "Spec": {"Role": "worker", "Availability": "active"},
        "Status": {"State": "ready", "Addr": "192.168.98.12"},
    },
]
MANAGER = Member(host(), "192.168.98.11", "manager", "active", "n1", "192.168.98.11", control=True, made_for="demo")


def worker(**more: object) -> Member:
    fields: dict[str, object] = {"state": "active", "node": "n2", "address": "192.168.98.12", **more}
    return Member(host("host2"), "192.168.98.12", "worker", **fields)  # type: ignore[arg-type]


def observed(*members: Member, nodes: Sequence[Mapping[str, Any]] | None = NODES, adopt: bool = False) -> Swarm:
    return Swarm("demo", reference(members, "demo"), members, nodes, settings=Settings(adopt=adopt))


def planned(*members: Member, nodes: Sequence[Mapping[str, Any]] | None = NODES, adopt: bool = False) -> list[str]:
    made = swarm.changes(observed(*members, nodes=nodes, adopt=adopt), {})
    return [("blocked " if change.blocked else "") + f"{change.action} {change.key}" for change in made]


def test_members_as_wanted_need_nothing() -> None:
    assert planned(MANAGER, worker()) == []


@pytest.mark.parametrize(
    ("member", "expected"),
    [
        (worker(state="inactive", node=""), ["join host2: swarm membership", "remove host1: swarm node n2"]),
        (worker(state="pending", node=""), ["join host2: swarm membership", "remove host1: swarm node n2"]),
        (worker(state="unknown", node=""), ["verify host2: swarm membership"]),
        (worker(state="locked"), ["blocked join host2: swarm membership"]),
        (worker(node="elsewhere"), ["blocked join host2: swarm membership"]),
        (worker(node="elsewhere", control=True), ["blocked join host2: swarm membership"]),
        (worker(address="10.0.2.15"), ["blocked join host2: swarm membership"]),
    ],
)
def test_each_state_of_a_worker_gets_its_change(member: Member, expected: list[str]) -> None:
    assert planned(MANAGER, member) == expected


def test_a_host_that_has_not_ended_leaving_is_told_from_one_in_another_swarm() -> None:
    (half_out,) = swarm.changes(observed(MANAGER, worker(node="", address="192.168.98.12")), {})
    assert "has not finished leaving. Run `docker swarm leave --force` on host2" in half_out.blocked
    (elsewhere,) = swarm.changes(observed(MANAGER, worker(node="n9")), {})
    assert "host2 is in another Swarm" in elsewhere.blocked


def test_a_swarm_begins_at_the_first_manager_only_when_none_is_at_work() -> None:
    idle = Member(host(), "192.168.98.11", "manager")
    other = Member(host("host2"), "192.168.98.12", "manager", "active", "n2", "192.168.98.12", control=True)
    assert planned(idle, worker(state="inactive", node=""), nodes=None) == [
        "init host1: swarm membership",
        "join host2: swarm membership",
    ]
    assert reference([idle, other], "demo") is other
    assert reference([idle, worker(control=True)], "demo") is idle
    marked = worker(control=True, made_for="demo")
    assert reference([idle, marked], "demo") is marked


def test_a_manager_that_does_not_answer_is_not_replaced() -> None:
    silent = Member(host(), "192.168.98.11", "manager", "unknown")
    assert planned(silent, worker(), nodes=None) == [
        "verify host1: swarm membership",
        "verify host2: swarm membership",
    ]


FOREIGN = replace(MANAGER, made_for="")
DRAINED = [NODES[0], {**NODES[1], "Spec": {"Role": "worker", "Availability": "drain"}}]


def test_a_data_path_address_is_a_note_and_no_difference() -> None:
    apart = worker(data_path="10.0.2.15")
    assert planned(MANAGER, apart) == []
    assert swarm.notes(observed(MANAGER, apart)) == [
        ("host2", "its overlay traffic uses 10.0.2.15 (data path address)")
    ]


@pytest.mark.parametrize(
    ("member", "nodes", "expected", "with_adopt"),
    [
        (worker(), DRAINED, [], []),
        (worker(availability="drain"), DRAINED, [], []),
        (
            worker(availability="active"),
            DRAINED,
            ["blocked update host2: swarm membership"],
            ["update host2: swarm membership"],
        ),
        (worker(address="10.0.2.15"), NODES, [], []),
        (
            worker(labels={"disk": "ssd"}),
            NODES,
            ["blocked update host2: swarm membership"],
            ["update host2: swarm membership"],
        ),
        (
            replace(worker(), role="manager"),
            NODES,
            ["blocked promote host2: swarm membership"],
            ["promote host2: swarm membership"],
        ),
        (
            worker(state="inactive", node=""),
            NODES,
            ["blocked join host2: swarm membership"],
            ["join host2: swarm membership"],
        ),
    ],
)
def test_nothing_changes_in_a_swarm_that_is_not_ours_unless_it_is_adopted(
    member: Member, nodes: list[Mapping[str, Any]], expected: list[str], with_adopt: list[str]
) -> None:
    assert planned(FOREIGN, member, nodes=nodes) == expected
    assert planned(FOREIGN, member, nodes=nodes, adopt=True) == with_adopt


def test_a_drained_node_of_ours_is_activated_unless_the_inventory_wants_it_drained() -> None:
    assert planned(MANAGER, worker(), nodes=DRAINED) == ["update host2: swarm membership"]
    assert planned(MANAGER, worker(availability="drain"), nodes=DRAINED) == []
    assert planned(MANAGER, worker(availability="pause")) == ["update host2: swarm membership"]


def test_a_node_of_ours_gets_the_labels_of_the_inventory_and_keeps_others() -> None:
    labelled = [NODES[0], {**NODES[1], "Spec": {**NODES[1]["Spec"], "Labels": {"disk": "ssd", "theirs": "x"}}}]
    assert planned(MANAGER, worker(labels={"disk": "ssd"}), nodes=labelled) == []
    [change] = swarm.changes(observed(MANAGER, worker(labels={"disk": "big disk"}), nodes=labelled), {})
    assert change.command == "docker node update --label-add 'disk=big disk' n2   # on host1"
    assert [str(one) for one in change.differences] == ["label disk: wanted 'big disk', found 'ssd'"]
    [change] = swarm.changes(observed(MANAGER, worker(labels={"zone": "a"}, availability="drain")), {})
    assert change.command == "docker node update --availability drain --label-add zone=a n2   # on host1"
    assert change.reason == "its availability is active, its label zone is not set"


SETTINGS = Settings.model_validate(
    {
        "default_addr_pool": ["10.64.0.0/16"],
        "subnet_size": 26,
        "data_path_port": 7789,
        "cert_expiry": "720h",
        "task_history": 2,
    }
)
CLUSTER = {
    "DefaultAddrPool": ["10.0.0.0/8"],
    "SubnetSize": 24,
    "DataPathPort": 4789,
    "Spec": {
        "CAConfig": {"NodeCertExpiry": 2160 * 3600 * 10**9},
        "Orchestration": {"TaskHistoryRetentionLimit": 5},
    },
}


def test_a_swarm_begins_with_the_settings_of_the_inventory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    alone = Member(host(), "192.168.98.11", "manager")
    [init] = swarm.changes(Swarm("demo", alone, (alone,), settings=SETTINGS), {})
    assert init.command.endswith(
        " --default-addr-pool 10.64.0.0/16 --default-addr-pool-mask-length 26 --data-path-port 7789"
        " --cert-expiry 720h --task-history-limit 2"
    )
    assert swarm_settings.init_options(SETTINGS, "demo") == {
        "default_addr_pool": ["10.64.0.0/16"],
        "subnet_size": 26,
        "data_path_port": 7789,
        "swarm_spec": {
            "Labels": with_owner({LABEL_LAB: "demo"}),
            "CAConfig": {"NodeCertExpiry": 720 * 3600 * 10**9},
            "Orchestration": {"TaskHistoryRetentionLimit": 2},
        },
    }
    nothing = {"swarm_spec": {"Labels": with_owner({LABEL_LAB: "demo"})}, "data_path_port": None}
    assert swarm_settings.init_options(Settings(), "demo") == nothing


def test_settings_of_a_swarm_change_where_they_can_and_the_others_are_said() -> None:
    there = replace(observed(MANAGER, worker()), settings=SETTINGS, cluster=CLUSTER)
    [change] = swarm.changes(there, {})
    assert change.command == "docker swarm update --cert-expiry 720h --task-history-limit 2"
    assert [str(one) for one in change.differences] == [
        "cert_expiry: wanted '720h', found '2160h'",
        "task_history: wanted 2, found 5",
    ]
    assert [text for _, text in swarm.notes(there)] == [
        "its Swarm keeps default_addr_pool ['10.0.0.0/8'], and only a new one would have ['10.64.0.0/16']",
        "its Swarm keeps subnet_size 24, and only a new one would have 26",
        "its Swarm keeps data_path_port 4789, and only a new one would have 7789",
    ]
    [blocked] = swarm.changes(replace(there, asked=FOREIGN, members=(FOREIGN, worker())), {})
    assert "did not initialise" in blocked.blocked
    assert swarm.changes(replace(there, settings=Settings()), {}) == []


def test_labels_are_typed_where_a_swarm_begins_and_where_a_host_joins_it() -> None:
    first = Member(host(), "192.168.98.11", "manager", labels={"disk": "ssd"})
    second = worker(state="inactive", node="", labels={"zone": "a"})
    init, join = swarm.changes(observed(first, second, nodes=None), {})
    assert init.command.endswith(" && docker node update --label-add disk=ssd self")
    node = "$(docker info --format '{{.Swarm.NodeID}}')"
    assert join.command.endswith(f" && ssh host1 docker node update --label-add zone=a {node}")


def test_overlay_traffic_has_an_address_of_its_own() -> None:
    first = Member(host(), "192.168.98.11", "manager", overlay="10.2.0.11")
    second = worker(state="inactive", node="", overlay="10.2.0.12")
    init, join = swarm.changes(observed(first, second, nodes=None), {})
    assert "--advertise-addr 192.168.98.11 --data-path-addr 10.2.0.11 --listen-addr 192.168.98.11:2377" in init.command
    assert "--data-path-addr 10.2.0.12" in join.command
    there = worker(overlay="10.2.0.12")
    assert swarm.notes(observed(MANAGER, replace(there, data_path="10.2.0.12"))) == []
    assert swarm.notes(observed(MANAGER, there)) == [
        (
            "host2",
            "its overlay traffic uses 192.168.98.12 (data path address), and only joining again would have 10.2.0.12",
        )
    ]


def test_only_nodes_that_clusterlab_joined_are_taken_out_and_only_when_allowed() -> None:
    gone = {
        "ID": "n3",
        "Description": {"Hostname": "host3"},
        "Spec": {"Role": "worker", "Availability": "active", "Labels": {LABEL_LAB: "demo"}},
        "Status": {"State": "ready", "Addr": "192.168.98.13"},
    }
    assert planned(MANAGER, worker(), nodes=[*NODES, gone]) == ["blocked remove host1: swarm node host3"]
    allowed = swarm.changes(observed(MANAGER, worker(), nodes=[*NODES, gone]), {}, remove_nodes=True)
    assert [(change.action, change.blocked) for change in allowed] == [("remove", "")]
    assert "host3 is out of the Swarm, and its machine stays as it is" in allowed[0].rest
    somebodys = {**gone, "Spec": {"Role": "worker", "Availability": "active"}}
    assert planned(MANAGER, worker(), nodes=[*NODES, somebodys]) == []
    assert planned(MANAGER, worker(state="unknown", node=""), nodes=[*NODES, gone]) == [
        "verify host2: swarm membership"
    ]


def test_promotions_come_before_demotions() -> None:
    nodes = [NODES[0], NODES[1]]
    swapped = swarm.changes(
        observed(replace(MANAGER, role="worker"), replace(worker(), role="manager"), nodes=nodes), {}
    )
    assert [(change.action, change.key.host) for change in swapped] == [("promote", "host2"), ("demote", "host1")]
    assert swapped[0].needs == frozenset()
    assert swapped[1].needs == {swapped[0].key}


def test_the_leader_is_asked_if_it_answers_else_any_manager_at_work() -> None:
    def info(node: str, control: bool = True) -> dict[str, Any]:
        return {"Swarm": {"NodeID": node, "ControlAvailable": control}}

    infos = {"a": info("n1"), "b": info("n2"), "c": info("n3", control=False)}
    nodes: list[dict[str, Any]] = [{"ID": "n1"}, {"ID": "n2", "ManagerStatus": {"Leader": True}}, {"ID": "n3"}]
    assert managers.at_work(infos) == ["a", "b"]
    assert managers.preferred(infos, nodes) == "b"
    assert managers.preferred({"a": infos["a"]}, nodes) == "a"
    assert managers.preferred(infos, [{"ID": "other", "ManagerStatus": {"Leader": True}}]) == ""
