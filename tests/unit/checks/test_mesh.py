"""What the tools behind a mesh print, and what follows from it; texts are BusyBox's and iputils' own."""

from __future__ import annotations

import subprocess

import pytest

from clusterlab.checks.kinds.mesh import MeshProbe
from clusterlab.checks.mesh_answers import OWN, Answer, Target, judged, lines_of, only_if_alone
from clusterlab.checks.mesh_script import SCRIPT
from clusterlab.model.base import InvalidModel

ADDRESS = "10.0.1.5"


@pytest.mark.parametrize(
    ("by", "code", "text", "reached", "found"),
    [
        ("name", 0, "10.0.1.5", True, "10.0.1.5"),
        ("name", 0, "", False, "name not resolved"),
        ("name", 0, "10.0.1.7", False, "the name leads to 10.0.1.7, not to 10.0.1.5"),
        ("name", 0, "10.0.1.5 10.0.1.7", False, "the name leads to 10.0.1.5 10.0.1.7, not to 10.0.1.5"),
        ("ping", 0, "2 packets transmitted, 2 packets received, 0% packet loss", True, "2 of 2 packets came back"),
        ("ping", 0, "2 packets transmitted, 1 received, 50% packet loss", False, "1 of 2 packets came back"),
        ("ping", 1, "", None, "exit code 1"),
        ("udp", 0, "0 1 10.0.1.5 0.005 ms 0.004 ms", True, "a packet was answered"),
        ("udp", 0, "0 1 * *", False, "no packet was answered"),
        ("udp", 0, "0 1 10.0.1.2 18.415 ms !H *", False, "no packet was answered"),
        ("udp", 0, "0 1 10.0.1.55 0.005 ms", None, "1 10.0.1.55 0.005 ms"),
        ("packets", 0, "1450+0 1 10.0.1.5 0.005 ms", True, "a packet of 1450 bytes was answered"),
        ("packets", 0, "1450+0 1 * *", False, "no packet of 1450 bytes was answered"),
        ("packets", 0, "1450+0 1 * 10.0.1.5 0.005 ms", True, "a packet of 1450 bytes was answered"),
        ("packets", 0, "1450+0 1 10.0.1.5 0.021 ms !F-1350 10.0.1.4 0.008 ms !F-1350", False,
         "no packet of 1450 bytes was answered: they may have 1350 on the way"),
        ("packets", 0, "1450+2 1 10.0.1.5 0.021 ms !F-1350 0.008 ms", False,
         "a packet of 1450 bytes was answered only in fragments: they may have 1350 on the way"),
        ("packets", 0, "1450+4 1 10.0.1.5 0.021 ms 0.008 ms", False,
         "a packet of 1450 bytes was answered only in fragments"),
        ("udp", 0, "0 1 10.0.1.5 0.021 ms !A 0.008 ms !A", False, "no packet was answered"),
        ("packets", 0, " traceroute: invalid number ''", None, "traceroute: invalid number ''"),
        ("tcp", 0, "", True, "open"),
        ("tcp", 1, "nc: timed out", False, "timed out"),
        ("tcp", 124, "", False, "timed out"),
        ("tcp", 1, "nc: can't connect to remote host (10.0.1.5): Connection refused", False, "refused"),
        ("tcp", 1, "bash: connect: No route to host", False, "no route to host"),
        ("tcp", 127, "sh: nc: not found", None, "sh: nc: not found"),
        ("fetch", 0, "1048576 bytes in 10 hundredths", True, "10.5 MB/s"),
        ("fetch", 0, "1048576 bytes in 200 hundredths", False, "0.5 MB/s"),
        ("fetch", 1, "700 bytes in 300 hundredths", False, "the download ended after 700 bytes"),
    ],
)  # fmt: skip
def test_an_answer(by: str, code: int, text: str, reached: bool | None, found: str) -> None:
    answer = judged(by, "1M" if by == "fetch" else None, Target("b", "host2", ADDRESS), (code, text))
    assert (answer.reached, answer.found) == (reached, found)


def test_an_answer_counts_only_if_nobody_else_can_have_given_it() -> None:
    b, c, d = Target("b", "host2", ADDRESS), Target("c", "host3", ADDRESS), Target("d", "host3", "10.0.1.9")
    yes, no = Answer(True, "open"), Answer(False, "refused")
    assert only_if_alone(yes, b, "a", ["127.0.0.1", "10.0.1.4"], [b, d]) == yes
    assert only_if_alone(no, b, "a", [ADDRESS], [b, c]) == no
    itself = only_if_alone(yes, b, "a", ["127.0.0.1", ADDRESS], [b, d])
    assert (itself.reached, itself.found, itself.mistaken) == (False, f"{ADDRESS} belongs to a and b", True)
    assert only_if_alone(yes, b, "a", ["10.0.1.4"], [b, c, d]).found == f"{ADDRESS} belongs to b and c"


def test_a_place_lists_its_own_addresses_as_the_kernel_has_them() -> None:
    printed = subprocess.run(["sh", "-c", SCRIPT, "sh", "ping", "0", "1"], capture_output=True, text=True, check=True)
    assert "127.0.0.1" in dict(lines_of(printed.stdout))[OWN][1].split()


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"by": "ping", "network": None}, "containers have an address on each of their networks"),
        ({"by": "tcp"}, "'tcp' needs a port"),
        ({"by": "ping", "port": 80}, "'ping' has no port"),
        ({"by": "ping", "floor": "1M"}, "'floor' is for fetch"),
        ({"by": "name", "in": [], "on": ["host1"], "network": None}, "hosts cannot be reached by name"),
        ({"by": "ping", "on": ["host1"]}, "'on' and 'in' are mutually exclusive"),
        ({"by": "ping", "to": []}, "there is nothing to reach"),
    ],
)
def test_what_a_mesh_cannot_be(keys: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message) as raised:
        MeshProbe.model_validate({"in": ["a"], "to": ["b"], "network": "n", **keys})
    assert InvalidModel.__name__ not in str(raised.value)
