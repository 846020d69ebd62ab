"""A host's probes are kept on the LAN: which ways leave it, which probes that is for, and how tools are bound."""

from __future__ import annotations

from typing import Any

import pytest

from clusterlab.checks import lan, reach
from clusterlab.checks.kinds import http, ping, port
from clusterlab.checks.kinds.http import HttpProbe
from clusterlab.checks.kinds.ping import PingProbe
from clusterlab.checks.kinds.port import PortProbe
from clusterlab.checks.lookups import with_host

BRIDGES = frozenset({"docker0", "br-0123456789ab", "br-management"})
THERE = {"container": "web", "network": "bridge"}


@pytest.mark.parametrize(
    ("route", "stays"),
    [
        ("192.168.98.12 dev eth1 src 192.168.98.11 uid 0 \\    cache \n", True),
        ("10.9.9.9 via 192.168.98.1 dev eth1 src 192.168.98.11 uid 0 \\    cache \n", True),
        ("local 127.0.0.1 dev lo src 127.0.0.1 uid 0 \\    cache <local> \n", True),
        ("local 192.168.98.11 dev lo src 192.168.98.11 uid 0 \\    cache <local> \n", True),
        ("local ::1 from :: dev lo table local proto kernel src ::1 metric 0 pref medium\n", True),
        ("172.17.0.2 dev docker0 src 172.17.0.1 uid 0 \\    cache \n", True),
        ("172.28.5.2 dev br-0123456789ab src 172.28.5.1 uid 0 \\    cache \n", True),
        ("9.9.9.9 via 10.0.2.2 dev eth0 src 10.0.2.15 uid 0 \\    cache \n", False),
        ("10.0.2.2 dev eth0 src 10.0.2.15 uid 0 \\    cache \n", False),
        ("9.9.9.9 via 10.5.0.1 dev br-management src 10.5.0.7 uid 0 \\    cache \n", False),
        ("", False),
    ],
)
def test_which_ways_stay_on_the_lan(route: str, stays: bool) -> None:
    assert lan.stays(route, "eth1", BRIDGES) is stays


@pytest.mark.parametrize(
    ("probe", "kept"),
    [
        (PortProbe.model_validate({"on": ["gw"], "to": "10.9.9.9", "port": 80}), False),
        (PortProbe.model_validate({"on": ["gw"], "to": THERE, "port": 80}), True),
        (PortProbe.model_validate({"on": ["gw"], "to": "10.9.9.9", "port": 80, "open": False}), True),
        (PingProbe.model_validate({"on": ["gw"], "to": "10.9.9.9"}), False),
        (PingProbe.model_validate({"on": ["gw"], "to": {"service": "hello", "network": "wide"}}), True),
        (HttpProbe.model_validate({"on": ["gw"], "url": "http://10.9.9.9/"}), False),
        (HttpProbe.model_validate({"on": ["gw"], "url": "http://10.9.9.9/", "reachable": False}), True),
    ],
)
def test_what_counts_on_the_lan_alone(probe: Any, kept: bool) -> None:
    assert reach.kept(probe) is kept


@pytest.mark.parametrize(
    ("url", "written"),
    [
        ("http://p/page", "http://10.0.0.9/page"),
        ("http://p:8080/", "http://10.0.0.9:8080/"),
        ("https://ada@p/p?p=p#p", "https://ada@10.0.0.9/p?p=p#p"),
        ("http://p", "http://10.0.0.9"),
    ],
)
def test_the_host_of_a_url_is_replaced_whole(url: str, written: str) -> None:
    assert with_host(url, "10.0.0.9") == written


def test_tools_are_bound_to_the_interface() -> None:
    pinging = PingProbe.model_validate({"on": ["gw"], "to": "10.9.9.9", "timeout": "2s"})
    assert ping.packets(pinging, "eth1") == ["ping", "-c", "2", "-W", "2", "-n", "-I", "eth1"]
    assert ping.packets(pinging) == ["ping", "-c", "2", "-W", "2"]
    page = HttpProbe.model_validate({"on": ["gw"], "url": "http://10.9.9.9/"})
    asked = http.command(page, "curl", "http://10.9.9.9/", "eth1")
    assert asked == [
        "curl",
        "-sS",
        "-v",
        "--noproxy",
        "*",
        "--interface",
        "eth1",
        "--max-time",
        "10",
        "http://10.9.9.9/",
    ]
    assert "--interface" not in http.command(page, "curl", "http://10.9.9.9/")
    open_ = PortProbe.model_validate({"on": ["gw"], "to": "10.9.9.9", "port": 80})
    asked = port.command(open_, "curl", "10.9.9.9", "80", "eth1")
    bound = ["curl", "-sS", "-v", "--noproxy", "*", "--interface", "eth1", "--max-time", "5", "telnet://10.9.9.9:80"]
    assert asked == bound
    assert port.command(open_, "curl", "fd00::9", "80", "eth1")[-1] == "telnet://[fd00::9]:80"
