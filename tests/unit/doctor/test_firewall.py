"""What becomes of a packet, by iptables' rules."""

from __future__ import annotations

import pytest

from clusterlab.doctor.sections import FIREWALL

HEAD = "*filter\n:INPUT {policy} [0:0]\n:FORWARD ACCEPT [0:0]\n:LAN - [0:0]\n"


def _drops(rules: str, policy: str = "ACCEPT", port: int = 4789) -> str:
    text = HEAD.format(policy=policy) + rules + "\nCOMMIT\n# end of tables"
    return FIREWALL.read(text).drops("udp", port, "10.0.0.2")


@pytest.mark.parametrize(
    "rules",
    [
        "-A INPUT -p udp -m udp --dport 4789 -j DROP",
        "-A INPUT -p udp -m multiport --dports 53,4000:5000 -j REJECT --reject-with icmp-port-unreachable",
        "-A INPUT -s 10.0.0.0/8 -j DROP",
        "-A INPUT -j LAN\n-A LAN -p udp -j DROP",
        "-A INPUT -p tcp -j ACCEPT\n-A INPUT -j DROP",
        "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n-A INPUT -j DROP",
        '-A INPUT -p udp -m comment --comment "no vxlan" -m udp --dport 4789 -j DROP',
    ],
)
def test_dropped(rules: str) -> None:
    assert _drops(rules).startswith(("INPUT rule", "LAN rule"))


@pytest.mark.parametrize(
    "rules",
    [
        "",
        "-A INPUT -p udp -m udp --dport 4789 -j ACCEPT\n-A INPUT -j DROP",
        "-A INPUT -s 10.9.0.0/16 -j DROP",
        "-A INPUT -p tcp -j DROP",
        "-A INPUT -i lo -j DROP",
        "-A INPUT -m limit --limit 5/min -j DROP",
        "-A INPUT -j LAN\n-A INPUT -j DROP\n-A LAN -s 10.0.0.2/32 -j ACCEPT",
        "-A INPUT -m set --match-set nodes src -j ACCEPT\n-A INPUT -j DROP",
        "-A INPUT ! -s 10.0.0.2/32 -j DROP",
    ],
)
def test_not_dropped_or_not_certain(rules: str) -> None:
    assert _drops(rules) == ""


def test_policy() -> None:
    assert "policy DROP" in _drops("-A INPUT -p udp -m udp --dport 7946 -j ACCEPT", "DROP")
    assert _drops("-A INPUT -p udp -m udp --dport 4789 -j ACCEPT", "DROP") == ""


def test_cut_off() -> None:
    with pytest.raises(ValueError, match="does not end"):
        FIREWALL.read("*filter\n:INPUT ACCEPT [0:0]\n# end of tables")
    with pytest.raises(ValueError, match="cut off"):
        FIREWALL.read("*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n")
