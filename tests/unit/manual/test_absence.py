"""A command that fails proves no absence: it must say that the network kept it away. Typed here, on loopback."""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from clusterlab.checks.kinds import KINDS
from clusterlab.checks.kinds.ping import _NONE, _SOME
from clusterlab.checks.kinds.port import _AWAY
from clusterlab.checks.manual.absence import kept_out
from clusterlab.checks.manual.where import Where
from clusterlab.checks.reached import CONNECTED
from clusterlab.model import load_lab

BASH = "timeout 3 bash -c 'exec 3<>\"/dev/tcp/$1/$2\"' bash 127.0.0.1"
CURL = "curl -sS -v --noproxy '*' --max-time 3"
ADDRESS = "127.0.0.1"
PORT = f"{CONNECTED}|^exit 0$"


@pytest.fixture(scope="module")
def ports() -> Iterator[tuple[int, int]]:
    """A port that is open, and one that is not."""
    with socket.create_server(("127.0.0.1", 0)) as open_, socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # without a listener it refuses
        yield open_.getsockname()[1], closed.getsockname()[1]


def holds(proof: str, **variables: str) -> bool:
    given = "".join(f"{name}='{value}'\n" for name, value in variables.items())
    return subprocess.run(["sh", "-c", f"{given}{proof}"], check=False, capture_output=True, timeout=20).returncode == 0


def test_a_port_that_refuses_is_kept_out_and_an_open_one_is_not(ports: tuple[int, int]) -> None:
    open_, closed = ports
    for command in (BASH, f"{CURL} telnet://127.0.0.1:"):
        asked = [f"{command}{'' if command.endswith(':') else ' '}{port} < /dev/null" for port in (open_, closed)]
        assert [holds(kept_out(one, ADDRESS, PORT, _AWAY)) for one in asked] == [False, True], command


@pytest.mark.parametrize(
    "command",
    [
        f"{CURL} --interface nosuch0 telnet://127.0.0.1:CLOSED < /dev/null",
        f"nsenter --net=/nowhere {BASH} CLOSED",
        f"unshare --mount --map-user=nobody-at-all {BASH} CLOSED",
        "sh -c 'echo unshare: unshare failed: Operation not permitted >&2; exit 1'",
        "timeout 3 nosuchprogram",
        "false",
    ],
)
def test_what_could_not_ask_proves_nothing(command: str, ports: tuple[int, int]) -> None:
    assert not holds(kept_out(command.replace("CLOSED", str(ports[1])), ADDRESS, PORT, _AWAY))


def test_without_the_interface_nothing_is_proven(ports: tuple[int, int]) -> None:
    proof = kept_out(f"{BASH} {ports[1]}", ADDRESS, PORT, _AWAY, card="@card_of_gw@")
    assert holds(proof, card_of_gw="lo")
    assert not holds(proof, card_of_gw="")


@pytest.mark.parametrize(
    ("printed", "kept"),
    [
        ("2 packets transmitted, 0 received, 100%% packet loss, time 1001ms", True),
        ("2 packets transmitted, 0 packets received, 100%% packet loss", True),
        ("ping: connect: Network is unreachable", True),
        ("2 packets transmitted, 1 received, 50%% packet loss, time 1001ms", False),
        ("2 packets transmitted, 2 packets received, 0%% packet loss", False),
        ("0 packets transmitted, 0 received", False),
        ("ping: bad address \\047nosuch0\\047", False),
        (
            "ping: can\\047t bind to interface nosuch0: No such device\\n2 packets transmitted, 0 packets received",
            False,
        ),
        ("ping: SO_BINDTODEVICE nosuch0: No such device", False),
        ("nsenter: cannot open /proc/0/ns/net: No such file or directory", False),
    ],
)
def test_ping_must_have_sent_packets(printed: str, kept: bool) -> None:
    assert holds(kept_out(f"printf '{printed}\\n'", ADDRESS, _SOME, _NONE)) is kept


def typed(kind: str, **probe: object) -> str:
    """The last line that is typed for a probe in the play of this folder's lab."""
    folder = Path(__file__).parent
    lab = load_lab(folder / "inventory.yml", ["networks"], folder / "plays")
    given = KINDS[kind].model.model_validate(probe)
    return list(KINDS[kind].manual(given, Where(lab, "networks", {})))[-1].script


def test_a_file_is_absent_only_where_its_folder_exists(tmp_path: Path) -> None:
    here = {path: typed("file", on="gw", path=f"{tmp_path}/{path}", exists=False) for path in ("no", "no/file", "yes")}
    (tmp_path / "yes").touch()
    assert {path: holds(script) for path, script in here.items()} == {"no": True, "no/file": False, "yes": False}


@pytest.mark.parametrize(("reported", "same"), [('"one"', True), ("null", False), ("", False)])
def test_of_nothing_all_hosts_report_the_same(tmp_path: Path, reported: str, same: bool) -> None:
    program = tmp_path / "docker"
    program.write_text(f"#!/bin/sh\nprintf '%s\\n' '{reported}'\n")
    program.chmod(0o755)
    script = typed("inspect", network="wide", path="Id", same=True)
    name = re.search(r'\[ "\$(\w+)" \]', script)
    assert name
    assert holds(f"PATH={tmp_path}:$PATH\n{script}", **{name[1]: reported}) is same
