"""The play of the test, from inventories of several shapes."""

from __future__ import annotations

import platform
import re
from dataclasses import replace
from typing import Any

import pytest

from clusterlab.connectivity.names import NETWORK, PAIR, PLAY, WEB, probe, share
from clusterlab.connectivity.play import Options, untested, with_test
from clusterlab.connectivity.properties import PROPERTIES
from clusterlab.connectivity.requirements import NotTestable
from clusterlab.connectivity.survey import Export, Seen, Stray, answers, exports, images, strays
from clusterlab.errors import ClusterlabError, UsageError
from clusterlab.model.base import OBJECT_PATTERN
from clusterlab.model.inventory import Inventory
from clusterlab.model.lab import Lab
from clusterlab.model.playbook import Play
from clusterlab.model.reserved import OBJECT_PREFIX


def lab(*roles: str, **more: Any) -> Lab:
    hosts = {f"n{index}": {"address": f"10.0.0.{index}", "roles": role.split()} for index, role in enumerate(roles, 1)}
    return Lab(Inventory.model_validate({"lab": "office", "machines": "existing", "hosts": hosts, **more}))


def play(of: Lab, seen: Seen | None = None, **options: Any) -> Play:
    return with_test(of, Options(**options), seen).plays[PLAY]


FOREIGN = Export("nfs", "addr=10.0.0.99,nfsvers=4.2,soft", ":/theirs", "shop_data")
SEEN = Seen((FOREIGN, Export("nfs4", "addr=10.0.0.4,rw", ":/a", "own")), ("registry.example.org/shop/web:1",), ("n3",))


ON_EXPORTS = ("shares", "renames", "locks", "listings", "permissions")
THREE = ("docker swarm_manager", "docker swarm_worker", "docker swarm_worker")


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


def test_exports_of_the_inventory_are_shared_by_all_nodes_and_read_only_ones_are_not_written() -> None:
    exports = [{"path": "/a", "clients": "*"}, {"path": "/b", "clients": "*", "options": ["ro"]}]
    made = play(lab(*THREE, "nfs_server", nfs={"exports": exports}), properties=["shares"])
    assert [volume.driver_opts["device"] for volume in made.volumes.values()] == [":/a"]
    assert made.volumes[share(0)].driver_opts["o"] == "addr=10.0.0.4,rw,nfsvers=4.2"
    assert [check.title for check in made.checks] == ["what one node writes to /a of n4, every other reads"]


@pytest.mark.parametrize("name", ON_EXPORTS)
def test_a_statement_about_an_export_writes_below_a_folder_of_its_own_and_removes_it(name: str) -> None:
    (check,) = play(
        lab(*THREE, "nfs_server", nfs={"exports": [{"path": "/a", "clients": "*"}]}), properties=[name]
    ).checks
    texts = [one.probe.run for one in check.steps if one.kind == "command"]  # type: ignore[union-attr]
    begin, end = texts[0], check.finally_[0].run
    own = end.removeprefix("rm -rf ")
    assert re.fullmatch(r"/shared/clusterlab-test-cluster-[0-9a-f]{8}-[a-z]+", own)
    assert begin == f"rm -rf {own} && mkdir {own} && chmod 755 {own}"
    assert all(path.startswith(own) for text in texts for path in re.findall(r"/shared[^ ;)]*", text))


def test_two_clusters_with_one_export_have_folders_of_their_own() -> None:
    exports = {"exports": [{"path": "/a", "clients": "*"}]}

    def folders(*roles: str) -> set[str]:
        made = play(lab(*roles, nfs=exports), properties=["locks"])
        return {one.finally_[0].run.removeprefix("rm -rf ") for one in made.checks}

    assert folders(*THREE, "nfs_server") == folders(*THREE, "nfs_server")
    assert not folders(*THREE, "nfs_server") & folders(*THREE, "", "nfs_server")


def test_a_private_file_is_refused_to_another_user_where_the_server_tells_users_apart() -> None:
    for options, refused in (["rw"], True), (["rw", "all_squash"], False):
        exports = {"exports": [{"path": "/a", "clients": "*", "options": options}]}
        (check,) = play(lab(*THREE, "nfs_server", nfs=exports), properties=["permissions"]).checks
        assert any(getattr(one.probe, "user", None) for one in check.steps) is refused
        assert ("refused to another user" in check.title) is refused


def test_what_others_mount_is_only_read_with_the_same_options_and_what_the_inventory_names_is_not_tested_twice() -> (
    None
):
    own = {"exports": [{"path": "/a", "clients": "*"}]}
    made = play(lab(*THREE, "nfs_server", nfs=own), SEEN, properties=["shares", "mounts"])
    assert [volume.driver_opts for volume in made.volumes.values()] == [
        {"type": "nfs", "o": "addr=10.0.0.4,rw,nfsvers=4.2", "device": ":/a"},
        {"type": "nfs", "o": FOREIGN.o, "device": ":/theirs"},
    ]
    reading = [one for one in made.containers.values() if "shared1" in one.volumes[0]]
    assert len(reading) == 3
    assert all(one.volumes[0].endswith(":ro") for one in reading)
    assert made.checks[-1].title == "every node mounts /theirs of 10.0.0.99, as volume shop_data does, and reads it"


def test_nothing_is_mounted_whose_server_a_node_does_not_reach() -> None:
    """The statement then asks for the server's port, from every node."""
    seen = replace(SEEN, unreached={"n2": frozenset({FOREIGN.address}), "n9": frozenset({"10.0.0.4=2049"})})
    made = play(lab(*THREE), seen, properties=["mounts"])
    assert [one.driver_opts["device"] for one in made.volumes.values()] == [":/a"]
    assert {one.volumes[0].partition(":")[0] for one in made.containers.values()} == set(made.volumes)
    blocked, mounted = made.checks
    assert blocked.needs == ["nfs"]
    assert (blocked.kind, mounted.kind) == ("port", "command")
    assert (blocked.probe.on, blocked.probe.to, blocked.probe.port) == (["n1", "n2", "n3"], "10.0.0.99", 2049)  # type: ignore[union-attr]
    assert len(play(lab(*THREE), seen, nodes=["n1", "n3"], properties=["mounts"]).volumes) == 2


@pytest.mark.parametrize(
    ("options", "address"),
    [
        ("addr=nas,rw", "nas=2049"),
        ("addr=10.0.0.9,port=20490,proto=tcp", "10.0.0.9=20490"),
        ("addr=10.0.0.9,mountport=635,soft", "10.0.0.9=2049"),
        ("addr=10.0.0.9,proto=udp", ""),
        ("addr=10.0.0.9,rdma,port=20049", ""),
    ],
)
def test_the_server_of_an_export_is_asked_for_where_it_is_mounted(options: str, address: str) -> None:
    assert Export("nfs", options, ":/a", "data").address == address


def test_a_node_of_another_swarm_is_named_unless_only_others_are_tested() -> None:
    seen = Seen(strangers=("n3",))
    with pytest.raises(NotTestable, match="n3 is a node of another Swarm: nothing was created"):
        play(lab(*THREE), seen, properties=["gossip"])
    assert play(lab(*THREE), seen, nodes=["n1", "n2"]).containers


def test_nodes_on_which_the_image_does_not_run_are_named_before_anything_is_created() -> None:
    here = platform.machine()
    seen = Seen(machines={"n1": here, "n2": "riscv128", "n3": here})
    with pytest.raises(NotTestable, match=r"built for \w+, as this computer is: n2 \(riscv128\)"):
        play(lab(*THREE), seen)
    assert len(play(lab(*THREE), seen, properties=["gossip", "managers"]).checks) == 2
    made = play(lab(*THREE), seen, nodes=["n1", "n3"])
    constraints = [one.deploy.placement.constraints for one in made.services.values()]
    assert constraints == [[f"node.platform.arch == {here}"]] * len(made.services)
    same = play(lab(*THREE), Seen(machines=dict.fromkeys(("n1", "n2", "n3"), here)))
    assert [one.deploy.placement.constraints for one in same.services.values()] == [[]] * len(same.services)


MINE = Stray("container", "clusterlab--n2", "n2", "cluster-10-0-0-2", "ada@laptop", here=True)


@pytest.mark.parametrize(
    ("found", "properties", "refused"),
    [
        (
            MINE,
            ["ping"],
            "the test of the lab cluster-10-0-0-2 left container clusterlab--n2 on n2, created by ada@laptop",
        ),
        (MINE, ["gossip"], ""),
        (
            Stray("network", NETWORK, "", "second", "", here=False),
            ["ping"],
            f"of the lab second left network {NETWORK}:",
        ),
        (Stray("volume", share(0), "n2", "second", "", here=False), ["ping"], ""),
        (Stray("volume", share(0), "n2", "second", "", here=False), ["shares"], f"left volume {share(0)} on n2"),
        (Stray("drained node", "n3", "", "second", "", here=False), ["ping"], ""),
    ],
)
def test_nothing_is_created_where_the_test_of_another_lab_left_what_is_in_the_way(
    found: Stray, properties: list[str], refused: str
) -> None:
    of = lab(*THREE, "nfs_server", nfs={"exports": [{"path": "/a", "clients": "*"}]})
    if not refused:
        assert play(of, Seen(strays=(found,)), properties=properties).checks
        return
    with pytest.raises(NotTestable, match=re.escape(refused)) as caught:
        play(of, Seen(strays=(found,)), properties=properties)
    assert caught.value.message.endswith(": nothing was created")
    assert ("on the computer that created it" in str(caught.value.remedy)) is not found.here


def test_of_many_objects_that_another_test_left_the_first_are_named() -> None:
    many = tuple(replace(MINE, name=f"c{number}") for number in range(8))
    with pytest.raises(NotTestable, match="container c4 on n2 and 3 more, created by ada@laptop"):
        play(lab(*THREE), Seen(strays=many), properties=["ping"])


def test_objects_of_other_labs_tests_are_known_by_their_labels() -> None:
    def labels(lab: str, play: str = PLAY) -> dict[str, str]:
        return {"org.clusterlab.lab": lab, "org.clusterlab.play": play, "org.clusterlab.created-by": "bob@desk"}

    containers: list[dict[str, object]] = [
        {"Names": ["/own"], "Labels": labels("office")},
        {"Names": ["/other"], "Labels": labels("second")},
        {"Names": ["/play"], "Labels": labels("second", "shop")},
        {"Names": ["/plain"], "Labels": None},
    ]
    services: list[dict[str, object]] = [
        {"Spec": {"Name": "web", "Labels": labels("second")}},
        {"Spec": {"Name": "theirs"}},
    ]
    assert list(map(str, strays("office", "container", containers, "n1"))) == ["container other on n1"]
    (service,) = strays("office", "service", services)
    assert (str(service), service.lab, service.by, service.here) == ("service web", "second", "bob@desk", False)


def test_titles_claim_no_more_than_what_is_asked() -> None:
    """A registry that requires a login has answered, without a manifest; a ping does not show that it is encrypted."""
    made = play(lab(*THREE), SEEN, properties=["registry", "encrypted"])
    assert [check.title for check in made.checks] == [
        "on an encrypted overlay network every node finds every other by its name",
        "on an encrypted overlay network every node reaches every other",
        "on an encrypted overlay network every node reaches every other with packets of full size",
        "the registry of registry.example.org/shop/web:1 answers every node",
    ]


def test_only_what_the_chosen_statements_need_is_created() -> None:
    assert not play(lab(*THREE), properties=["gossip", "managers"]).containers
    made = play(lab(*THREE), properties=["virtual"])
    assert set(made.services) == {WEB}
    assert set(made.networks) == {NETWORK}
    assert len(made.containers) == 3


def test_one_service_has_the_port_and_the_pair_of_tasks_where_a_node_remains_without_one() -> None:
    for nodes, tasks in (["n1", "n2", "n3"], {WEB: 2}), (["n1", "n2"], {WEB: 1, PAIR: 2}):
        made = play(lab(*THREE), nodes=nodes, properties=["ingress", "virtual"])
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


def test_the_quick_test_appends_nothing_under_a_lock() -> None:
    exports = {"exports": [{"path": "/a", "clients": "*"}]}
    for quick in True, False:
        (check,) = play(lab(*THREE, "nfs_server", nfs=exports), quick=quick, properties=["shares"]).checks
        (shared_file,) = [one.probe for one in check.steps if one.kind == "shared_file"]
        assert (shared_file.appends == 0) is quick  # type: ignore[union-attr]


def test_what_is_not_tested_is_said_with_its_reason() -> None:
    said = untested(lab(*THREE), Options(), Seen())
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


def volume(name: str, options: dict[str, str] | None = None, driver: str = "local", play: str = "") -> dict[str, Any]:
    labels = {"org.clusterlab.play": play} if play else None
    return {"Name": name, "Driver": driver, "Labels": labels, "Options": options}


def test_exports_are_those_of_others_volumes_each_once() -> None:
    nfs = {"type": "nfs", "o": "addr=10.0.0.9,rw", "device": ":/srv"}
    found = exports(
        [
            volume("plain"),
            volume("memory", {"type": "tmpfs", "device": "tmpfs"}),
            volume("data", nfs),
            volume("same", nfs),
            volume("other", {**nfs, "device": ":/other"}),
            volume("plugin", {**nfs, "device": ":/plugin"}, "plugin"),
            volume("ours", {**nfs, "device": ":/ours"}, play=PLAY),
        ]
    )
    assert [(one.of, one.server, one.path) for one in found] == [
        ("data", "10.0.0.9", "/srv"),
        ("other", "10.0.0.9", "/other"),
    ]


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
        (lab(*THREE), {"port": 80}, "--port 80 is not the first of two free ports"),
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
