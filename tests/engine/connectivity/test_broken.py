"""The connectivity test on a Swarm that is broken one thing at a time: each is named by node and direction."""

from __future__ import annotations

import pytest

from tests.support.swarm_bench import Bench, broken, failed, wait_for

pytestmark = pytest.mark.engine
DROP_ONE_WAY = "iptables -{} INPUT -p udp --dport 4789 -s 10.75.0.11 -j DROP"
DROP_LONG = "iptables -{} INPUT -p udp --dport 4789 -m length --length 1400:65535 -j DROP"
"""As where the way to a node has a smaller MTU; that of its card also stalls the Swarm's own open connections."""
DROP_GOSSIP = "iptables -{} INPUT -p udp --dport 7946 -j DROP"
PING = "on an overlay network every node reaches every other (VXLAN, UDP 4789)"
TCP = "TCP connects from every node to every other"
NEWS = "the name of a new container is known on every node within seconds (UDP 7946)"
PACKETS = "full-size packets pass unfragmented from every node to every other"
WAYS = {
    ("host1", "host2"): "timed out: nothing arrives at host2",
    ("host2", "host1"): "timed out: the answer of host1 is lost",
}
TO_HOST2 = {
    ("gw", "host2"): "timed out",
    ("host1", "host2"): "timed out: nothing arrives at host2",
    ("host3", "host2"): "timed out: nothing arrives at host2",
}
UNREACHED = "host2 is not reached by any other node"
HOST_MODE = "a service's port with mode: host is open on every node that takes tasks, for the task there (TCP 29519)"
DROP_PORT = "iptables -t raw -{} PREROUTING -p tcp --dport 29519 -j DROP"
SERVE = "python3 -m http.server 29519"
SILENT = "python3 -c 'import socket, time; s = socket.create_server((\"0.0.0.0\", 29519)); time.sleep(600)'"
PAIR = "host1 and host2 do not reach each other"


@pytest.mark.parametrize(
    ("rule", "only", "says", "ways"),
    [
        (DROP_ONE_WAY, ["ping", "tcp", "gossip"], {PING: PAIR, TCP: PAIR}, WAYS),
        (DROP_LONG, ["packets", "ping", "gossip"], {PACKETS: UNREACHED}, {}),
        (DROP_PORT, ["host-mode", "start", "published"], {HOST_MODE: UNREACHED}, TO_HOST2),
    ],
    ids=["4789-one-way", "mtu", "host-mode"],
)
def test_what_is_broken_is_named_by_node_and_nothing_else_fails(
    bench: Bench, rule: str, only: list[str], says: dict[str, str], ways: dict[tuple[str, str], str]
) -> None:
    words = [word for name in only for word in ("--only", name)]
    with broken(bench, "host2", rule.format("I"), rule.format("D")):
        code, results, printed = bench.test("-i", "existing.yml", *words)
    hints = failed(results)
    assert code == 1, printed
    assert hints.keys() == says.keys(), printed
    for title, said in says.items():
        assert hints[title].startswith(said), printed
        assert f"{title}: {said}" in printed
    links = [link for one in results["results"] for item in one["evidence"] for link in item["links"]]
    found = {(link["source"], link["target"]): link["found"] for link in links if link["found"].startswith("timed out")}
    assert found == ways, printed


@pytest.mark.parametrize("program", [SERVE, SILENT], ids=["web-server", "silent"])
def test_an_open_port_that_somebody_else_has_does_not_pass_for_host_mode(bench: Bench, program: str) -> None:
    """The task of that node cannot start; of the others each is proven by its task."""
    begin = f"cd / && {{ setsid {program} < /dev/null > /dev/null 2>&1 & echo $! > /run/foreign.pid; }}"
    with broken(bench, "host2", begin, "kill $(cat /run/foreign.pid)"):
        wait_for(bench, "grep -q ':734F 00000000:0000 0A' /proc/net/tcp")
        code, results, printed = bench.test("-i", "existing.yml", "--only", "host-mode")
    assert code != 0, printed
    assert not any(one["check"] == HOST_MODE and one["outcome"] == "pass" for one in results["results"]), printed
    assert "host2" in printed
    assert failed(results)[HOST_MODE].startswith(UNREACHED), printed
    links = [link for one in results["results"] for item in one["evidence"] for link in item["links"]]
    assert {link["target"] for link in links if link["seen"] is not True} == {"host2"}, printed


def test_a_node_that_drops_udp_7946_is_the_one_that_misses_new_names(bench: Bench) -> None:
    """Of all pairs, only its own lack news, at least where it should hear.

    Some news come over TCP all the same, by chance; others hear nothing of it either while they take it for lost.
    """
    with broken(bench, "host2", DROP_GOSSIP.format("I"), DROP_GOSSIP.format("D")):
        code, results, printed = bench.test("-i", "existing.yml", "--only", "news", "--only", "gossip")
    hints = failed(results)
    assert (code, list(hints)) == (1, [NEWS]), printed
    assert "host2 " in hints[NEWS].partition(".")[0], printed
    (news,) = (one for one in results["results"] if one["check"] == NEWS)
    missed = [link for item in news["evidence"] for link in item["links"] if not link["seen"]]
    assert all("host2" in (link["source"], link["target"]) for link in missed), printed
    assert any(link["source"] == "host2" for link in missed), printed
