"""CL306: the Swarm's control or gossip ports are blocked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Iterator, Mapping

from clusterlab.doctor.cluster import CONTROL, GOSSIP, Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, NotSeen, Seen, Severity, listed
from clusterlab.doctor.host_view import HostView
from clusterlab.doctor.sections import FIREWALL
from clusterlab.doctor.sections.heard import Heard
from clusterlab.doctor.sections.probes import Probe

_UNSENT = "its own packet filter refuses to send any"


def _find(cluster: Cluster) -> Found:
    for host in cluster.members():
        blocked: dict[str, dict[str, str]] = defaultdict(dict)  # port and protocol: what each peer sees
        rules: dict[str, str] = {}
        for peer in cluster.peers(host):
            for port in (GOSSIP, CONTROL) if host.manages else (GOSSIP,):
                silent = ("", "")
                try:
                    outcome = peer.probed(Probe("tcp", host.address, port))
                    rule = host.read(FIREWALL).drops("tcp", port, peer.address)
                    if port == GOSSIP:
                        heard = yield from _heard(host, peer, cluster)
                        silent = _silent(host, peer, heard)
                except NotSeen as error:
                    yield error
                    continue
                if outcome != "open":
                    blocked[f"{port}/tcp"][peer.name] = outcome
                    rules[f"{port}/tcp"] = rule or rules.get(f"{port}/tcp", "")
                if silent[0]:
                    blocked[f"{port}/udp"][peer.name] = silent[0]
                    rules[f"{port}/udp"] = silent[1] or rules.get(f"{port}/udp", "")
        if not blocked:
            yield from _not_listed(host, cluster)
            continue
        peers = {name for seen in blocked.values() for name in seen}
        yield CODE.finding(
            host.name,
            f"{host.name}: {listed(blocked)} is blocked from {listed(peers)}",
            [
                *(Seen(host.name, "iptables-save", f"{port} accepted", rule) for port, rule in rules.items() if rule),
                *(
                    Seen(name, f"connect to {port} of {host.name}", "open", outcome)
                    for port, seen in blocked.items()
                    for name, outcome in seen.items()
                ),
            ],
            [fix for port, seen in blocked.items() for fix in _accept(host, cluster, port, seen)],
            hosts=[host.name, *sorted(peers)],
            consequences=("CL203", "CL217", "CL218", "CL302", "CL303", "CL305", "CL313"),
        )


def _heard(host: HostView, peer: HostView, cluster: Cluster) -> Generator[NotSeen, None, Heard | None]:
    """What of a peer's probes arrived; what is not known leaves the rest to be judged."""
    try:
        return cluster.heard(host, peer, "gossip")
    except NotSeen as error:
        yield error
        return None


def _silent(host: HostView, peer: HostView, heard: Heard | None) -> tuple[str, str]:
    """What becomes of a peer's gossip by UDP, "" when it arrives, and the rule that drops it, when that is known."""
    rule = host.read(FIREWALL).drops("udp", GOSSIP, peer.address)
    match heard:
        case "nothing":
            return f"none of its packets reaches the interface of {host.name}", rule
        case "filtered":
            return f"its packets reach the interface of {host.name}, and not what is behind the packet filter", rule
        case "unsent":
            return _UNSENT, rule
        case "open":
            return "", ""
    return ("dropped", rule) if rule else ("", "")


def _not_listed(host: HostView, cluster: Cluster) -> Found:
    """Gossip without a rule that is in its way.

    Peers do not list this host though all are ready.
    """
    ready = {node.id for node in cluster.nodes() if node.state == "ready"}
    lists: dict[str, bool] = {}  # by peer, whether it lists this host
    for peer in cluster.peers(host):
        try:
            if {host.node, peer.node} <= ready and peer.gossip:
                lists[peer.name] = host.address in peer.gossip
        except NotSeen as error:
            yield error
    for name in (name for name, found in lists.items() if not found):
        peer = cluster.hosts[name]
        # What a node missed it has from the others within minutes: see PushPullInterval in memberlist.
        passes = any(lists.values()) and peer.address in host.gossip
        yield CODE.finding(
            f"{host.name} from {name}",
            f"{name} has no gossip from {host.name}, though TCP {GOSSIP} is open: "
            + ("it has yet to learn of it from the others" if passes else f"UDP {GOSSIP} may be blocked"),
            [Seen(name, "docker network inspect ingress", f"a peer at {host.address}", listed(peer.gossip))],
            [Fix("", f"open UDP {GOSSIP} between {host.name} and {name}, in both directions")],
            severity=Severity.WARNING if passes else Severity.ERROR,
            hosts=[host.name, name],
            consequences=("CL302", "CL303", "CL305", "CL313"),
        )


def _accept(host: HostView, cluster: Cluster, port: str, seen: Mapping[str, str]) -> Iterator[Fix]:
    """Commands for the side whose packet filter is in the way, by what each peer sees."""
    number, _, protocol = port.partition("/")
    sources = [cluster.hosts[name].address for name in sorted(seen) if seen[name] != _UNSENT]
    if sources:
        yield Fix(host.name, f"iptables -I INPUT -p {protocol} --dport {number} -s {','.join(sources)} -j ACCEPT")
    for name in sorted(seen):
        if seen[name] == _UNSENT:
            yield Fix(name, f"iptables -I OUTPUT -p {protocol} --dport {number} -d {host.address} -j ACCEPT")


CODE = Diagnosis(
    code="CL306",
    title="The Swarm's control or gossip ports are blocked",
    severity=Severity.ERROR,
    effect="Nodes go down, or names do not resolve on some of them: without 2377 a node does not reach the managers, "
    "without 7946 (TCP and UDP) it does not learn where containers are.",
    detection="TCP connections to 7946 of every node and 2377 of the managers from each other node; the INPUT rules "
    "of each host for TCP and UDP; the peers that each node lists for the ingress network. With --probe, packets that "
    "each node sends to UDP 7946 of the others.",
    guard="An engine that is stopped is CL100. It is a warning while one node alone does not list another that lists "
    "it: gossip brings that within minutes.",
    remedy="Accept TCP 2377 on managers, and TCP and UDP 7946 on all nodes.",
    root=6,
    passing=True,
    needs_swarm=True,
    cluster=_find,
)
