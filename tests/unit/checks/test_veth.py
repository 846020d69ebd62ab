"""veth: which pairs of interfaces are the two ends of one pair, from what `ip -json -details link` prints."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from clusterlab.checks.kinds.veth import Link, judge, parse
from clusterlab.checks.place import NotUnderstood

MAC = "02:42:ac:11:00:02"
INSIDE = [Link("lo", 1, 0, "00:00:00:00:00:00", "", ""), Link("eth0", 6, 7, MAC, "veth", "")]
OUTSIDE = [
    Link("lo", 1, 0, "00:00:00:00:00:00", "", ""),
    Link("veth12", 7, 6, "be:e0:00:00:00:01", "veth", "docker0"),
    Link("veth34", 9, 8, "be:e0:00:00:00:02", "veth", "docker0"),
]
ROWS = [
    {"ifindex": 1, "ifname": "lo", "address": "00:00:00:00:00:00"},
    {},
    {
        "ifindex": 7,
        "link_index": 6,
        "ifname": "veth12",
        "master": "docker0",
        "address": "be:e0:00:00:00:01",
        "linkinfo": {"info_kind": "veth", "info_slave_kind": "bridge"},
    },
]


def test_a_list_of_interfaces_is_read() -> None:
    assert parse(json.dumps(ROWS), "ip") == OUTSIDE[:2]


def test_what_is_no_list_proves_nothing() -> None:
    with pytest.raises(NotUnderstood, match="no list of interfaces"):
        parse('Object "link" is unknown', "ip")


def test_a_pair_in_the_bridge_holds() -> None:
    problems, found = judge(MAC, INSIDE, OUTSIDE, "docker0")
    assert problems == []
    assert found == "eth0 in the container is number 6, its other end 7: veth12 on the host, in bridge docker0"


@pytest.mark.parametrize(
    ("inside", "outside", "problem"),
    [
        (INSIDE[:1], OUTSIDE, "it has none on the network"),
        (INSIDE, OUTSIDE[:1], "that is not an end of a veth pair on the host"),
        (INSIDE, [replace(OUTSIDE[1], other_end=8)], "that is not an end of a veth pair on the host"),
        (INSIDE, [replace(OUTSIDE[1], kind="dummy")], "that is not an end of a veth pair on the host"),
        ([replace(INSIDE[1], kind="macvlan")], OUTSIDE, "that is not an end of a veth pair on the host"),
        (INSIDE, [replace(OUTSIDE[1], bridge="")], "it is in no bridge"),
        (INSIDE, [replace(OUTSIDE[1], bridge="br-1")], "it is in bridge br-1"),
    ],
)
def test_anything_else_does_not(inside: list[Link], outside: list[Link], problem: str) -> None:
    assert judge(MAC, inside, outside, "docker0")[0] == [problem]
