"""What tools really print is read strictly: outputs/*.yml were recorded from the tools named in their titles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from clusterlab.checks import resolve
from clusterlab.checks.kinds import file, http, ping, port
from clusterlab.checks.place import NotUnderstood
from clusterlab.checks.reached import UNRESOLVED
from clusterlab.remote.completed import Completed

OUTPUTS = Path(__file__).parent / "outputs"


def recorded(name: str) -> list[Any]:
    cases = yaml.safe_load((OUTPUTS / f"{name}.yml").read_text())
    return [pytest.param(case, id=case["title"]) for case in cases]


def completed(case: dict[str, Any]) -> Completed:
    return Completed("host1", "", case["exit"], case["stdout"], case["stderr"], 0.0)


@pytest.mark.parametrize("case", recorded("ping"))
def test_ping(case: dict[str, Any]) -> None:
    if "error" in case:
        with pytest.raises(NotUnderstood, match=case["error"]):
            ping.parse(completed(case), "ping")
    else:
        met = ping.parse(completed(case), "ping")
        assert (met.reached, met.found) == (case["reached"], case["found"])


@pytest.mark.parametrize(("all_must", "reached"), [(True, False), (False, True)])
def test_half_of_the_packets_prove_neither_statement(all_must: bool, reached: bool) -> None:
    half = "2 packets transmitted, 1 received, 50% packet loss, time 1001ms\n"
    met = ping.parse(Completed("host1", "", 0, half, "", 0.0), "ping", all_must=all_must)
    assert met.reached is reached


def test_without_a_packet_sent_nothing_is_proven() -> None:
    none = "0 packets transmitted, 0 received, 100% packet loss, time 0ms\n"
    with pytest.raises(NotUnderstood, match="no packet was sent"):
        ping.parse(Completed("host1", "", 1, none, "", 0.0), "ping", all_must=False)


@pytest.mark.parametrize("case", recorded("port"))
def test_port(case: dict[str, Any]) -> None:
    if "error" in case:
        with pytest.raises(NotUnderstood, match=case["error"]):
            port.parse(completed(case), "nc")
    else:
        met = port.parse(completed(case), "nc")
        assert (met.reached, met.found) == (case["reached"], case["found"])


@pytest.mark.parametrize("case", recorded("http"))
def test_http(case: dict[str, Any]) -> None:
    if "error" in case:
        with pytest.raises(NotUnderstood, match=case["error"]):
            http.parse(completed(case), "curl")
        return
    answer = http.parse(completed(case), "curl")
    assert answer.status == case["status"]
    assert answer.reached is case.get("reached", bool(case["status"]))
    assert answer.found == case.get("found", f"status {case['status']}")
    assert answer.body == case.get("body", answer.body)
    assert answer.unresolved is case.get("unresolved", answer.found == UNRESOLVED)
    assert list(answer.addresses) == case.get("addresses", list(answer.addresses))


@pytest.mark.parametrize("case", recorded("dns"))
def test_dns(case: dict[str, Any]) -> None:
    parse = resolve.parse_nslookup if case["tool"] == "nslookup" else resolve.parse_getent
    assert parse(completed(case)) == case["addresses"]
    if "error" in case:
        with pytest.raises(NotUnderstood, match=case["error"]):
            resolve.why_not(completed(case), case["tool"], "")
    elif not case["addresses"]:
        assert resolve.why_not(completed(case), case["tool"], "") == case["found"]


@pytest.mark.parametrize("case", recorded("stat"))
def test_stat(case: dict[str, Any]) -> None:
    stat = file.parse(case["stdout"])
    assert stat.type == case["type"]
    assert stat.mode == int(case["mode"], 8)
    assert case["owner"] in stat.owner
    assert case["group"] in stat.group


def test_stat_of_another_form_is_refused() -> None:
    with pytest.raises(ValueError, match="stat did not print a line of six fields"):
        file.parse("regular file 644 root root")
