"""The play of the test, from inventories of several shapes."""

from __future__ import annotations

import re
from typing import Any

import pytest

from clusterlab.connectivity.names import EACH, NETWORK, PAIR, PORT, WEB, probe
from clusterlab.connectivity.play import Options, untested, with_test
from clusterlab.connectivity.properties import PROPERTIES
from clusterlab.connectivity.survey import Seen, answers, images
from clusterlab.errors import ClusterlabError, UsageError
from clusterlab.model.base import OBJECT_PATTERN
from clusterlab.model.inventory import Inventory
from clusterlab.model.lab import Lab
from clusterlab.model.reserved import OBJECT_PREFIX

from .plays import ON_EXPORTS, SEEN, THREE, lab, play


def test_every_node_has_the_containers_and_every_pair_is_tried() -> None:
    made = play(lab(*THREE, ""))
    assert {one.host for one in made.containers.values()} == {"n1", "n2", "n3"}
    names = next(check.probe for check in made.checks if "by its name" in check.title)
    assert names is not None
    assert names.in_ == names.to == [probe("n1"), probe("n2"), probe("n3")]  # type: ignore[attr-defined]


def test_every_object_has_a_name_of_its_own_that_no_play_can_have() -> None:
    nodes = ["n" * 50, "web", "pair", "encrypted", "encrypted-web", "apart", "apart-web", "shared0", "test-net"]
    hosts = {
        name: {"address": f"10.0.0.{index}", "roles": ["docker", "swarm_manager" if index == 1 else "swarm_worker"]}
        for index, name in enumerate(nodes, 1)
    }
    exports = {"exports": [{"path": "/a", "clients": "*"}, {"path": "/b", "clients": "*"}]}
    hosts["nas"] = {"address": "10.0.0.99", "roles": ["nfs_server"]}
    inventory = {"lab": "office", "machines": "existing", "hosts": hosts, "nfs": exports}
    made = play(Lab(Inventory.model_validate(inventory)))
    names = [*made.networks, *made.volumes, *made.services, *made.containers]
    assert len(made.containers) == 5 * len(nodes)
    assert len(names) == len(set(names))
    assert all(name.startswith(OBJECT_PREFIX) and re.fullmatch(OBJECT_PATTERN, name) for name in names)
    assert max(len(probe(node)) for node in nodes) < 64


def test_a_port_is_tried_from_hosts_without_docker_too() -> None:
    made = play(lab(*THREE, ""), properties=["published"])
    (check,) = made.checks
    assert check.probe is not None
    assert check.probe.on == ["n1", "n2", "n3", "n4"]  # type: ignore[attr-defined]


def test_at_every_published_port_one_of_the_tests_own_must_answer() -> None:
    made = play(lab(*THREE), properties=["published", "ingress", "host-mode"])
    own = [probe(node) for node in ("n1", "n2", "n3")]
    asked = [(check.probe.answers, check.probe.anywhere) for check in made.checks]  # type: ignore[union-attr]
    assert asked == [(own, False), ([WEB], True), ([EACH], False)]


def test_titles_claim_no_more_than_what_is_asked() -> None:
    """A registry that requires a login has answered, without a manifest; a ping does not show that it is encrypted."""
    made = play(lab(*THREE), SEEN, properties=["registry", "encrypted"])
    assert [check.title for check in made.checks] == [
        "on an encrypted overlay network every node finds every other by its name",
        "on an encrypted overlay network every node reaches every other",
        "on an encrypted overlay network every node reaches every other with packets of full size",
        "the registry of registry.example.org/shop/web:1 answers every node",
    ]


@pytest.mark.parametrize(
    ("seen", "takers"),
    [
        (None, ["n1", "n2", "n3"]),
        (Seen(active=("n1", "n3")), ["n1", "n3"]),
        (Seen(active=("n2",), machines={"n1": "riscv128", "n2": "riscv128"}), []),
    ],
    ids=["not-asked", "one-is-drained", "another-processor"],
)
def test_a_port_of_each_task_is_tried_where_tasks_run(seen: Seen | None, takers: list[str]) -> None:
    """Also from the others, which have no such port themselves."""
    if not takers:
        with pytest.raises(UsageError, match="there is nothing to test here: host-mode"):
            play(lab(*THREE), seen, properties=["host-mode"])
        return
    made = play(lab(*THREE, ""), seen, properties=["host-mode"])
    (check,) = made.checks
    assert check.probe is not None
    assert (check.probe.on, check.probe.to) == (["n1", "n2", "n3", "n4"], takers)  # type: ignore[attr-defined]
    (service,) = made.services.values()
    (port,) = service.ports
    assert (service.deploy.mode, port.mode, port.published) == ("global", "host", PORT + 2)  # type: ignore[union-attr]


def test_only_what_the_chosen_statements_need_is_created() -> None:
    assert not play(lab(*THREE), properties=["gossip", "managers"]).containers
    made = play(lab(*THREE), properties=["virtual"])
    assert set(made.services) == {WEB}
    assert set(made.networks) == {NETWORK}
    assert len(made.containers) == 3


def test_one_service_has_the_port_and_the_pair_of_tasks_where_a_node_remains_without_one() -> None:
    for quick, nodes, tasks in (
        (False, ["n1", "n2", "n3"], {WEB: 2}),
        (False, ["n1", "n2"], {WEB: 1, PAIR: 2}),
        (True, ["n1", "n2"], {WEB: 2}),
    ):
        made = play(lab(*THREE), nodes=nodes, properties=["ingress", "virtual"], quick=quick)
        free = not quick or len(nodes) > 2
        assert any("with and without a task" in check.title for check in made.checks) is free
        assert {name: one.deploy.replicas for name, one in made.services.items()} == tasks
        names = [check.probe.name for check in made.checks if check.kind == "dns"]  # type: ignore[union-attr]
        assert names == [next(name for name, number in tasks.items() if number == 2)]


def test_the_quick_test_creates_one_container_on_each_node_and_one_for_each_export() -> None:
    exports = {"exports": [{"path": "/a", "clients": "*"}]}
    made = play(lab(*THREE, "nfs_server", nfs=exports), SEEN, quick=True)
    for node in "n1", "n2", "n3":
        probing, *holding = [one for one in made.containers.values() if one.host == node]
        assert list(probing.networks) == [NETWORK]
        assert [(one.network_mode, len(one.volumes)) for one in holding] == [("none", 1)] * 2
    assert (list(made.networks), list(made.services)) == ([NETWORK], [WEB])


def test_what_is_not_tested_is_said_with_its_reason() -> None:
    said = untested(lab(*THREE), Options(), Seen(active=("n1", "n2", "n3")))
    assert [one.partition(":")[0] for one in said] == [*ON_EXPORTS, "mounts", "registry", "drain", "outside"]
    assert "registry: no service of the Swarm has an image from a registry" in said


def test_what_a_cluster_uses_is_not_expected_before_it_is_asked() -> None:
    assert with_test(lab(*THREE), Options(properties=["registry"])).plays == {}
    with pytest.raises(UsageError) as caught:
        play(lab(*THREE), Seen(), properties=["registry"])
    assert caught.value.remedy == "registry: no service of the Swarm has an image from a registry"


@pytest.mark.parametrize(
    ("allowed", "idle", "drained"),
    [
        (True, ("n1", "n2", "n3"), "n3"),
        (True, ("n2",), "n2"),
        (True, ("n1",), ""),
        (None, ("n3",), ""),
        (False, ("n3",), ""),
    ],
)
def test_only_an_idle_worker_is_drained_and_only_with_permission(
    allowed: bool | None, idle: tuple[str, ...], drained: str
) -> None:
    made = play(lab(*THREE, allow_actions=allowed), Seen(idle=idle), properties=["drain", "gossip"])
    actions = [step.do.drain for check in made.checks for step in check.steps if step.do]
    assert actions == ([drained] if drained else [])
    assert [one.deploy.replicas for one in made.services.values()] == ([3] if drained else [])


def test_images_are_those_that_managers_found_in_a_registry_one_for_each() -> None:
    digest = f"@sha256:{'0' * 64}"
    names = [f"nginx:1{digest}", f"redis:7{digest}", f"localhost:5000/b{digest}", f"reg.lan/a:2{digest}", "built:here"]
    services = [{"Spec": {"TaskTemplate": {"ContainerSpec": {"Image": name}}}} for name in names]
    assert images([*services, {"Spec": {"TaskTemplate": {}}}]) == ["localhost:5000/b", "nginx:1", "reg.lan/a:2"]


def test_nodes_and_properties_can_be_chosen() -> None:
    made = play(lab(*THREE), nodes=["n1", "n3"], properties=["ping", "gossip"])
    assert {one.host for one in made.containers.values()} == {"n1", "n3"}
    assert [check.kind for check in made.checks] == ["mesh", "mesh"]


def test_all_pairs_of_a_large_cluster_may_take_longer() -> None:
    for nodes, within in (3, 20), (40, 80):
        roles = ["docker swarm_manager", *["docker swarm_worker"] * (nodes - 1)]
        (check,) = play(lab(*roles), properties=["ping"]).checks
        assert check.within == within


def test_a_node_that_does_not_answer_does_not_keep_the_others_from_being_asked() -> None:
    down = ClusterlabError("n2: does not answer")
    assert answers(["n1", "n2"], ["id", down]) == ({"n1": "id"}, ("n2: does not answer",))


def test_quick_leaves_out_what_takes_longer() -> None:
    of = lab(*THREE)
    assert len(play(of, quick=True).checks) < len(play(of).checks)


@pytest.mark.parametrize(
    ("of", "options", "message"),
    [
        (lab("docker"), {}, "no host of the inventory is a manager of a Swarm"),
        (lab(*THREE), {"nodes": ["n9"]}, "n9 is not a node of the Swarm"),
        (lab(*THREE), {"properties": ["pings"]}, "unknown property 'pings'"),
        (lab(*THREE), {"port": 80}, "--port 80 is not the first of three free ports"),
        (lab("docker swarm_manager"), {"properties": ["ping"]}, "there is nothing to test here: ping"),
    ],
)
def test_what_cannot_be_tested_is_said(of: Lab, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        play(of, **options)


@pytest.mark.parametrize("name", PROPERTIES)
def test_every_property_has_a_statement_of_its_own_title(name: str) -> None:
    exports = {"exports": [{"path": "/a", "clients": "*"}]}
    of = lab(*THREE, "nfs_server", nfs=exports, allow_actions=True)
    made = play(of, SEEN, properties=[name], outside="http://example.org/")
    assert made.checks
    assert len({check.title for check in made.checks}) == len(made.checks)


def test_the_number_of_statements_does_not_grow_with_the_nodes() -> None:
    few, many = (len(play(lab("docker swarm_manager", *["docker swarm_worker"] * number)).checks) for number in (3, 39))
    isolation = 40 - 4  # from each node to the next one
    assert many == few + isolation
