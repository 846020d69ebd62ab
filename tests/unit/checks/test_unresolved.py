"""A port or page of a name counts as kept away only when an address was tried, or the name does not exist."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from clusterlab.checks.kinds import KINDS
from clusterlab.checks.place import Place
from clusterlab.checks.places import Places
from clusterlab.model.playbook import Network, Play
from clusterlab.remote import Hosts
from clusterlab.remote.completed import Completed
from clusterlab.results import Outcome
from tests.support.labs import namespaces_lab

DROPPED = (124, "", "")
OPEN = (0, "", "")
RESOLVED = (0, "10.9.0.1 STREAM db\n10.9.0.1 DGRAM\n10.9.0.2 STREAM\n", "")
NO_ADDRESS = (2, "", "")
SILENT = (1, ";; connection timed out; no servers could be reached\n", "")
UNKNOWN = (1, "Server: 10.9.0.53\n** server can't find db: NXDOMAIN\n", "")
PORT = {"on": "host1", "to": "db", "port": 5432, "open": False}
PAGE = {"on": "host1", "url": "http://db/", "reachable": False}
RESOLVING = (28, "", "curl: (28) Resolving timed out after 1000 milliseconds\n")
SLOW = (28, "", "* Connected to db (10.9.0.1) port 80\ncurl: (28) Operation timed out after 1000 milliseconds\n")
TRYING = (28, "", "*   Trying 10.9.0.1:80...\ncurl: (28) Connection timed out after 1000 milliseconds\n")


WGET = (124, "", "Connecting to db (10.9.0.1:80)\n")


def outcome(
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    probe: dict[str, object],
    answers: dict[str, tuple[int, str, str]],
    tools: str = "bash curl getent nslookup timeout . ",
) -> tuple[Outcome, str, list[str]]:
    """What comes of a probe on host1, where commands with these words in them end so; and the commands."""
    asked: list[str] = []

    def run(place: Place, argv: Sequence[str], *, timeout: float = 60.0, user: str = "") -> Completed:
        command = " ".join(argv)
        if argv[0] == "sh":  # the way to the target, and the tools
            printed = "10.9.0.1 dev eth0\n--\n--\n2: eth0    inet 10.75.0.11/24\n" if "ip -o" in command else ""
            return Completed(place.host, command, 0, printed or tools, "", 0.0)
        asked.append(command)
        code, out, err = next(answer for words, answer in answers.items() if words in command)
        return Completed(place.host, command, code, out, err, 0.0)

    places = Places(namespaces_lab("names", "10.75.0.0/24"), Play(title="none", networks={"net": Network()}), Hosts({}))
    monkeypatch.setattr(places, "run", run)
    (found,) = KINDS[kind].ask(KINDS[kind].model.model_validate(probe), places)
    return found.outcome, found.evidence.found, asked


@pytest.mark.parametrize(
    ("answers", "expected", "found"),
    [
        # The resolver takes longer than the probe: what counts is what the addresses do.
        ({"getent": RESOLVED, "bash db": DROPPED, "bash 10.9.0.1": DROPPED, "bash 10.9.0.2": DROPPED}, "pass", "timed"),
        ({"getent": RESOLVED, "bash db": DROPPED, "bash 10.9.0.1": OPEN}, "fail", "open"),
        ({"getent": RESOLVED, "bash db": DROPPED, "bash 10.9.0.1": DROPPED, "bash 10.9.0.2": OPEN}, "fail", "open"),
        # A name server that does not answer proves nothing; one that does not know the name proves that it is absent.
        ({"getent": NO_ADDRESS, "bash db": DROPPED, "nslookup": SILENT}, "error", "nothing proves that db is unknown"),
        ({"getent": NO_ADDRESS, "bash db": DROPPED, "nslookup": UNKNOWN}, "pass", "name not resolved"),
    ],
)
def test_a_port_of_a_name_that_timed_out(
    monkeypatch: pytest.MonkeyPatch, answers: dict[str, tuple[int, str, str]], expected: str, found: str
) -> None:
    ended, said, _ = outcome(monkeypatch, "port", PORT, answers)
    assert ended is Outcome(expected)
    assert found in said


def test_a_port_of_an_address_that_timed_out_is_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ended, said, asked = outcome(monkeypatch, "port", {**PORT, "to": "10.9.0.1"}, {"bash 10.9.0.1": DROPPED})
    assert (ended, said, len(asked)) == (Outcome.PASS, "timed out", 1)


@pytest.mark.parametrize(
    ("curl", "nslookup", "expected", "found"),
    [
        (TRYING, SILENT, "pass", "timed out"),
        (RESOLVING, SILENT, "error", "nothing proves that db is unknown"),
        (RESOLVING, UNKNOWN, "pass", "timed out"),
        (SLOW, SILENT, "fail", "connected, but no answer in time"),
    ],
)
def test_a_page_of_a_name_that_timed_out(
    monkeypatch: pytest.MonkeyPatch,
    curl: tuple[int, str, str],
    nslookup: tuple[int, str, str],
    expected: str,
    found: str,
) -> None:
    answers = {"curl": curl, "nslookup": nslookup, "getent": RESOLVED}
    ended, said, _ = outcome(monkeypatch, "http", PAGE, answers)
    assert ended is Outcome(expected)
    assert found in said


def test_a_page_of_which_busybox_does_not_say_whether_it_was_connected_proves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = {"wget": WGET, "getent": RESOLVED}
    ended, said, _ = outcome(monkeypatch, "http", PAGE, answers, "wget getent timeout . ")
    assert ended is Outcome.ERROR
    assert "does not report whether it was connected" in said
