"""Whose an address is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from clusterlab.checks import owners
from clusterlab.checks.owners import judge, mistaken
from clusterlab.checks.place import Place
from clusterlab.checks.places import Places
from clusterlab.checks.reached import Reach
from clusterlab.model import load_lab
from clusterlab.model.probes import Address, Target
from clusterlab.remote import Hosts

ALPHA, BETA, GAMMA = Place("host1", "alpha"), Place("host2", "beta"), Place("host2", "gamma")
INVENTORY = Path(__file__).parent.parent / "manual" / "inventory.yml"
PLAY = """
title: Addresses
networks: {near: {driver: bridge, hosts: host1, ipam: {config: [{subnet: 10.0.1.0/24}]}}}
containers:
  alpha: {host: host1, image: shell, networks: {near: {ipv4_address: 10.0.1.2}}, extra_hosts: {written: 10.0.2.9}}
  outside: {host: host1, image: shell, network_mode: host}
external:
  services: [api, written]
  containers: {api.1.abc: {host: host1}}
checks: [{title: none, ping: {in: alpha, to: api}}]
"""
API = Address(service="api", network="near")


@pytest.mark.parametrize(
    ("meant", "found", "wrong"),
    [
        ({BETA}, {BETA}, ""),
        ({BETA, GAMMA}, {GAMMA}, ""),
        ({BETA}, {ALPHA, BETA}, "10.0.2.2 belongs to alpha on host1 and beta on host2"),
        ({BETA, GAMMA}, {ALPHA, GAMMA}, "10.0.2.2 belongs to alpha on host1 and gamma on host2"),
        ({BETA}, {GAMMA}, "10.0.2.2 belongs to gamma on host2, not to beta on host2"),
        ({BETA}, set(), "10.0.2.2 is not an address of beta on host2"),
    ],
)
def test_an_address_must_be_that_of_the_target_alone(meant: set[Place], found: set[Place], wrong: str) -> None:
    assert judge("10.0.2.2", meant, found) == wrong


@pytest.mark.parametrize(
    ("place", "target", "wrong"),
    [
        (ALPHA, "api", "10.0.2.2 of service api belongs to alpha on host1 itself"),
        (ALPHA, API, "10.0.2.2 of service api belongs to alpha on host1 itself"),
        (Place("host1"), API, "10.0.2.2 of service api belongs to host1 itself"),
        (Place("host1", "api.1.abc"), "api", ""),  # a task has the virtual address of its service
        (ALPHA, "written", ""),  # its own file of hosts says where that leads
        (ALPHA, "10.0.2.2", "10.0.2.2 belongs to alpha on host1 itself"),
        (ALPHA, "10.0.2.3", ""),
        (ALPHA, "10.0.1.2", ""),  # the play gives alpha that address
        (ALPHA, "127.0.0.1", ""),
        (Place("host1"), "10.0.2.2", ""),  # such as a gateway of its bridges
        (Place("host1", "outside"), "10.0.2.2", ""),
        (ALPHA, "host1", "192.168.98.11 belongs to alpha on host1 and host1"),
        (ALPHA, "192.168.98.12", "192.168.98.12 belongs to alpha on host1 and host2"),
        (Place("host1"), "host1", ""),
        (Place("host1", "outside"), "host1", ""),
        (Place("host1", "outside"), "host2", "192.168.98.12 belongs to host2 and outside on host1"),
    ],
)
def test_a_place_that_has_the_address_of_what_it_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: Place, target: Target, wrong: str
) -> None:
    tmp_path.joinpath("case.yml").write_text(PLAY)
    lab = load_lab(INVENTORY, ["case"], tmp_path)
    places = Places(lab, lab.plays["case"], Hosts({}))
    own = frozenset({"127.0.0.1", "10.0.1.2", "10.0.2.2", "192.168.98.11", "192.168.98.12"})
    monkeypatch.setattr(owners, "_own", lambda place, places: own)
    met = Reach(True, "open", "")
    for one in (met, replace(met, reached=False)):
        assert mistaken(target, replace(one, addresses=("10.0.2.2",)), place, places) == wrong
