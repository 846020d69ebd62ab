"""Questions to Docker's DNS and what the kernel lists as listening, as bytes and text."""

from __future__ import annotations

import struct

import pytest

from clusterlab.checks.dns_message import Answer, parse, question
from clusterlab.checks.listening import Socket, connections, ports
from clusterlab.checks.listening import parse as listening_in
from clusterlab.checks.swarm_task import Task

HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
REST = "00000000:00000000 00:00000000 00000000     0        0 1 1 0000000000000000 100 0 0 10 0"
ANY4, ANY6 = "00000000", "0" * 32


def line(address: str, port: int, state: str = "0A") -> str:
    return f"   0: {address}:{port:04X} 00000000:0000 {state} {REST}\n"


def answer(asked: bytes, addresses: list[str], code: int = 0) -> bytes:
    header = struct.pack(">6H", struct.unpack_from(">H", asked)[0], 0x8180 | code, 1, len(addresses), 0, 0)
    records = [b"\xc0\x0c" + struct.pack(">2HIH", 1, 1, 600, 4) + bytes(map(int, one.split("."))) for one in addresses]
    return header + asked[12:] + b"".join(records)


def test_the_addresses_of_an_answer_are_sorted() -> None:
    asked = question("tasks.shop_api")
    assert asked[12:29] == b"\x05tasks\x08shop_api\x00\x00"
    assert parse(answer(asked, ["10.0.1.9", "10.0.1.4"])) == Answer(("10.0.1.4", "10.0.1.9"))


@pytest.mark.parametrize(("code", "word"), [(3, "NXDOMAIN"), (2, "SERVFAIL"), (5, "REFUSED"), (0, "")])
def test_an_answer_without_addresses_says_why(code: int, word: str) -> None:
    assert parse(answer(question("api"), [], code)) == Answer((), word)


@pytest.mark.parametrize("data", [b"", b"\x43", question("api"), answer(question("api"), ["10.0.1.4"])[:-3]])
def test_what_is_no_answer_is_not_taken_for_one(data: bytes) -> None:
    with pytest.raises(ValueError, match="answer"):
        parse(data)


@pytest.mark.parametrize("name", ["a" * 64, "a..b"])
def test_a_name_that_cannot_be_asked_for(name: str) -> None:
    with pytest.raises(ValueError, match="name server"):
        question(name)


def test_connections_are_what_neither_listens_nor_has_ended() -> None:
    table = HEADER + line("00000000", 80) + line("0501000A", 80, state="01").replace("00000000:0000", "0100000A:B26E")
    table += line("0501000A", 81, state="06").replace("00000000:0000", "0100000A:B26E")
    table += HEADER + line(ANY6, 443, state="08").replace(f"{ANY6}:01BB 00000000", f"{ANY6}:01BB {ANY6}")
    assert connections(table) == {(80, 0xB26E), (443, 0)}


def test_what_listens_but_for_the_dns_of_docker() -> None:
    table = HEADER + line("00000000", 80) + line("0100007F", 9000) + line("0B00007F", 38000) + line("0501000A", 5432)
    table += (
        line("00000000", 443, state="01") + HEADER + line(ANY6, 8080) + line("0000000000000000FFFF00000601000A", 25)
    )
    table += line("00000000000000000000000001000000", 6379)
    found = sorted((str(one.address), one.port) for one in listening_in(table))
    assert found == [
        ("0.0.0.0", 80),
        ("10.0.1.5", 5432),
        ("127.0.0.1", 9000),
        ("::", 8080),
        ("::1", 6379),
        ("::ffff:a00:106", 25),
    ]


def test_a_port_of_one_task_is_expected_of_all_unless_it_is_ephemeral() -> None:
    one, other = (Task("web", "host1", name, 1, name, {}) for name in ("web.1", "web.2"))
    sockets: dict[Task, frozenset[Socket]] = {
        one: listening_in(line(ANY4, 80) + line(ANY4, 41000) + line("0501000A", 70)),
        other: frozenset(),
    }
    assert ports(sockets, one, "10.0.1.5") == [70, 80, 41000]
    assert ports(sockets, one, "10.0.2.5") == [80, 41000]
    assert ports(sockets, other, "10.0.1.6") == [80]
