"""What the tools behind a mesh print, and what follows from it; texts are BusyBox's and iputils' own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path

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
        ("fetch", 0, "1048576 bytes in 10 hundredths", True, "10.00 MiB/s"),
        ("fetch", 0, "1048576 bytes in 200 hundredths", False, "0.50 MiB/s"),
        ("fetch", 1, "700 bytes in 300 hundredths", False, "the download ended after 700 bytes"),
    ],
)  # fmt: skip
def test_an_answer(by: str, code: int, text: str, reached: bool | None, found: str) -> None:
    answer = judged(by, "1M" if by == "fetch" else None, Target("b", "host2", ADDRESS), (code, text))
    assert (answer.reached, answer.found) == (reached, found)


@pytest.mark.parametrize(
    ("floor", "hundredths", "reached", "found"),
    [
        (None, 200, True, "0.50 MiB/s"),
        ("512K", 200, True, "512.00 KiB/s"),
        ("513K", 200, False, "512.00 KiB/s"),
        ("10M", 10, True, "10.00 MiB/s"),
        ("10M", 11, False, "9.09 MiB/s"),
    ],
)
def test_a_rate_is_in_the_unit_of_its_floor(floor: str | None, hundredths: int, reached: bool, found: str) -> None:
    line = (0, f"1048576 bytes in {hundredths} hundredths")
    answer = judged("fetch", floor, Target("b", "host2", ADDRESS), line)
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


def test_a_connection_is_open_where_something_listens_and_else_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        argv = ["sh", "-c", SCRIPT, "sh", "tcp", port, "5", "b=127.0.0.1", "c=127.0.0.2"]
        printed = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60).stdout
    lines = dict(lines_of(printed))
    targets = [Target("b", "host2", "127.0.0.1"), Target("c", "host3", "127.0.0.2")]
    assert [judged("tcp", None, one, lines[one.name]).found for one in targets] == ["open", "refused"]


ID, OTHER = "0123456789ab", "ba9876543210"
"""The names of two containers."""
PAGE = "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n"


@pytest.mark.parametrize(
    ("said", "names", "reached", "found"),
    [
        (f"{PAGE}{ID}\n", {ID}, True, f"{ID} answers"),
        (f"{PAGE}{ID}\n", {ID, OTHER}, True, f"{ID} answers"),
        (f"{PAGE}{ID}\n", {OTHER}, False, f"open, but '{ID}' answers, not {OTHER}"),
        (f"{PAGE}{ID}\n", set(), False, f"open, but '{ID}' answers, not one of those that should: none is there"),
        (f"{PAGE}{ID}0\n", {ID}, False, f"open, but '{ID}0' answers, not {ID}"),
        ("HTTP/1.0 404 File not found\r\n\r\n<p>\x85\x0b\x1c</html>\n", {ID}, False,
         f"open, but 'phtml' answers, not {ID}"),
        ("", {ID}, False, f"open, but what listens there does not answer with a name, not {ID}"),
        ("", set(), False,
         "open, but what listens there does not answer with a name, not one of those that should: none is there"),
        (None, {ID}, False, f"open, but what listens there does not answer with a name, not {ID}"),
    ],
    ids=["it", "one-of-two", "another", "none-should", "longer", "web-server", "closes", "closes-none", "silent"],
)  # fmt: skip
def test_an_open_port_counts_only_when_who_should_answers(
    said: str | None, names: set[str], reached: bool, found: str
) -> None:
    """What accepts a connection and says nothing has not timed out on the way."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        argv = ["sh", "-c", SCRIPT, "sh", "answer", str(server.getsockname()[1]), "2", "b=127.0.0.1"]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as asking:
            connection, _ = server.accept()
            with connection:
                if said is not None:
                    connection.recv(1000)
                    connection.sendall(said.encode())
                    connection.shutdown(socket.SHUT_WR)
                printed, _ = asking.communicate(timeout=60)
    target = Target("b", "host2", "127.0.0.1", frozenset(names))
    answer = judged("tcp", None, target, dict(lines_of(printed))["b"])
    assert (answer.reached, answer.found) == (reached, found)


@pytest.mark.parametrize(
    ("code", "text", "reached", "found"),
    [
        (124, "", False, "timed out"),
        (1, "bash: connect: Connection refused", False, "refused"),
        (0, "", None, "nothing was printed"),
        (127, "bash: not found", None, "bash: not found"),
    ],
)
def test_a_port_at_which_somebody_should_answer_is_not_open(
    code: int, text: str, reached: bool | None, found: str
) -> None:
    answer = judged("tcp", None, Target("b", "host2", ADDRESS, frozenset([ID])), (code, text))
    assert (answer.reached, answer.found) == (reached, found)


TOOLS = {
    "ip": "echo $4 dev lo",
    "awk": 'case "$*" in *FragCreates*) ls $0.fragment.* 2> /dev/null | wc -l ;; *) exec REAL "$@" ;; esac',
    "traceroute": """for address; do case $address in 10.*) break ;; esac; done
: > $0.$address.$$
[ $address != LONG ] || : > ${0%traceroute}awk.fragment.$$
n=0; while [ $(ls $0.10.* | cut -d . -f 2-5 | sort -u | wc -l) -lt 3 ]; do
  n=$((n+1)); [ $n -lt 300 ] || exit 1; sleep 0.1
done
echo "1 $address 0.005 ms" """,
}
"""Tools of a place: `traceroute` is answered once all three targets were asked; packets to one leave in fragments."""


@pytest.mark.parametrize("long", ["", "10.0.1.6"], ids=["whole", "in-fragments"])
def test_packets_of_full_size_are_sent_to_all_at_once_and_again_in_turn_when_some_were_fragments(
    tmp_path: Path, long: str
) -> None:
    for name, text in TOOLS.items():
        text = text.replace("REAL", str(shutil.which("awk"))).replace("LONG", long or "none")
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    targets = {"b": "10.0.1.5", "c": "10.0.1.6", "d": "10.0.1.7"}
    argv = ["sh", "-c", SCRIPT, "sh", "packets", "0", "1", *(f"{name}={one}" for name, one in targets.items())]
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    printed = subprocess.run(argv, env=environment, capture_output=True, text=True, check=True, timeout=60).stdout
    lines = dict(lines_of(printed))
    answers = {name: judged("packets", None, Target(name, "h", one), lines[name]) for name, one in targets.items()}
    assert {name: answer.reached for name, answer in answers.items()} == {
        name: one != long for name, one in targets.items()
    }
    assert len(printed.splitlines()) == 1 + len(targets)
    assert len(list(tmp_path.glob("traceroute.10.*"))) == (6 if long else 3)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"by": "ping", "network": None}, "containers have an address on each of their networks"),
        ({"by": "tcp"}, "'tcp' needs a port"),
        ({"by": "ping", "port": 80}, "'ping' has no port"),
        ({"by": "tcp", "port": 80, "answers": ["web"]}, "'answers' is for hosts by tcp"),
        ({"by": "ping", "in": [], "on": ["h"], "network": None, "answers": ["web"]}, "'answers' is for hosts by tcp"),
        ({"by": "ping", "anywhere": True}, "'anywhere' is for 'answers'"),
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
