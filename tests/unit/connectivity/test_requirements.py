"""On what clusters nothing is created, and what is said then."""

from __future__ import annotations

import platform
import re
from dataclasses import replace

import pytest

from clusterlab.connectivity.names import NETWORK, PLAY, share
from clusterlab.connectivity.requirements import NotTestable
from clusterlab.connectivity.survey import Seen, Stray, strays

from .plays import THREE, lab, play

MINE = Stray("container", "clusterlab--n2", "n2", "cluster-10-0-0-2", "ada@laptop", here=True)


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
