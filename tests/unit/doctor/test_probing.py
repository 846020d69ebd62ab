"""What follows from the probes of --probe: packets between nodes, and volumes that are mounted for a moment."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from clusterlab.doctor import gather, mounts
from clusterlab.doctor.answers import Answers, replayed
from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.examine import examine
from clusterlab.doctor.finding import Diagnosed
from clusterlab.doctor.host_view import HostView
from clusterlab.doctor.sections import PROBING
from clusterlab.doctor.sections.heard import KINDS
from tests.support.doctor_cases import PROPERTIES, cluster_of, sound, told

NODES = ("host1", "host2", "host3")


def _recording(**levels: str) -> dict[str, Any]:
    """A sound lab with probes; `levels` are what a host heard, as host2="host1 data 0", in place of everything."""
    recording = sound()
    for booted, host in enumerate(NODES, 1):
        lines = [f"{peer} {kind} 2" for peer in NODES if peer != host for kind in KINDS]
        for wrong in filter(None, levels.get(host, "").split(";")):
            lines = [wrong if line.split()[:2] == wrong.split()[:2] else line for line in lines]
        up = 1000 * booted
        times = f"asked {up + 0.2}", f"listened {up + 0.4} {up + 4.6} 0.31"
        parts = recording[host]["parts"]
        parts["heard"] = {"text": "\n".join([times[0], *lines, times[1], "heard end"]), "exit": 0, "error": ""}
        parts["mountable"] = {"text": "shop 0\nmountable end", "exit": 0, "error": ""}
        parts["uptime"] = {"text": f"{up + 4.8}", "exit": 0, "error": ""}
        recording[host]["probing"] = [50.0, 55.5]
    return recording


def _found(recording: dict[str, Any]) -> tuple[list[str], Diagnosed]:
    diagnosed = examine(cluster_of(recording))
    return [one.key for one in diagnosed.findings if one.code not in PROPERTIES], diagnosed


def test_all_arrive() -> None:
    keys, diagnosed = _found(_recording())
    assert not keys
    assert diagnosed.healthy


def test_lost_in_one_direction() -> None:
    """The cause names the direction, and none of the hosts' rules."""
    keys, diagnosed = _found(_recording(host2="host1 data 0"))
    assert keys == ["CL305:host1 and host2"]
    (finding,) = (one for one in diagnosed.findings if one.code == "CL305")
    assert "none reaches its interface" in told(finding)
    assert "from host1 to host2" in told(finding)


def test_dropped_by_the_packet_filter_of_the_receiver() -> None:
    for heard, key in (("host1 data 1;host3 data 1", "CL305:host2"), ("host1 gossip 1;host3 gossip 1", "CL306:host2")):
        keys, diagnosed = _found(_recording(host2=heard))
        assert keys == [key]
        assert all("not what is behind the packet filter" in told(one) for one in diagnosed.findings if one.key == key)


ALONE = {
    "later": [54.0, 59.5],
    "somewhere in a long time": [50.0, 62.0],
    "only for one token": [52.7, 58.2],
}
"""When the command of host3 began and ended; those of the others ran from 50 to 55.5."""


@pytest.mark.parametrize("window", ALONE.values(), ids=ALONE)
def test_what_was_not_heard_of_a_host_that_listened_at_another_time_is_unknown(window: list[float]) -> None:
    """Neither the network nor a packet filter is accused, and it is not healthy; with the same times it would be."""
    silent = ";".join(f"{{}} {kind} 0" for kind in KINDS)
    levels = {"host1": silent.format(*["host3"] * 3), "host3": silent.format(*["host1"] * 3)}
    recording = _recording(**levels)
    assert not cluster_of(recording).apart
    assert _found(recording)[0] == ["CL306:host1", "CL306:host3"]
    recording["host3"]["probing"] = window
    assert cluster_of(recording).apart
    keys, diagnosed = _found(recording)
    assert not keys
    assert {one.code for one in diagnosed.unknown} == {"CL305", "CL306"}
    assert all("at the same time" in one.reason and one.remedy for one in diagnosed.unknown)
    assert {one.subject for one in diagnosed.unknown} == {"host1", "host3"}


def test_what_was_heard_counts_at_any_time() -> None:
    recording = _recording()
    recording["host3"]["probing"] = ALONE["later"]
    assert not cluster_of(recording).apart
    keys, diagnosed = _found(recording)
    assert not keys
    assert diagnosed.healthy


def _attempts(monkeypatch: pytest.MonkeyPatch, *attempts: Mapping[str, Answers | None]) -> dict[str, Answers]:
    """The answers after these attempts, each by host; None is a host whose probes did not end in time."""

    def probing(_hosts: object, _cluster: Cluster, _token: str, attempt: int, view: HostView) -> Answers:
        return attempts[attempt - 1][view.name] or gather._without_probes(
            view.answers, "the probes did not end in time"
        )

    monkeypatch.setattr(gather, "_probing", probing)
    before = {name: replayed({"host": name, **one}) for name, one in sound().items()}
    return gather.probes_between({}, before)


def test_a_later_attempt_that_fails_on_a_host_leaves_its_earlier_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another host's answers of that attempt are taken, and what the first one mounted still counts."""
    apart = _recording(host3="host2 data 0")
    apart["host1"]["parts"]["mountable"]["text"] = "shop 116\nmountable end"
    apart["host3"]["probing"] = ALONE["later"]
    first, then = ({name: replayed(one) for name, one in rec.items()} for rec in (apart, _recording()))
    silent = dict.fromkeys(NODES)
    probed = _attempts(monkeypatch, first, silent, {**then, "host1": None})
    assert probed == {**then, "host1": first["host1"]}
    assert [one.key for one in examine(Cluster(probed)).findings if one.code not in PROPERTIES] == ["CL407:shop"]


def test_a_host_whose_probes_never_ended_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {name: replayed(one) for name, one in _recording().items()}
    probed = _attempts(monkeypatch, {**answers, "host1": None})
    assert {one.name for one in PROBING} <= set(probed["host1"].parts)
    assert {one.subject for one in examine(Cluster(probed)).unknown} >= {"host1"}


def test_a_sender_that_paused_sent_nothing_meanwhile() -> None:
    """As a process that was stopped: what it sent in that time is nothing, and says nothing."""
    recording = _recording(host1="host3 data 0")
    part = recording["host3"]["parts"]["heard"]
    part["text"] = part["text"].replace(" 0.31\n", " 2.1\n")
    assert cluster_of(recording).apart
    assert not _found(recording)[0]


def test_refused_by_the_packet_filter_of_the_sender() -> None:
    """It is named, and not the network; the time of listening does not matter."""
    lost = {"host1": "host2 data 0;host2 gossip 0", "host3": "host2 data 0;host2 gossip 0"}
    recording = _recording(**lost)
    part = recording["host2"]["parts"]["heard"]
    refused = "\n".join(f"{host} {kind} unsent" for host in ("host1", "host3") for kind in ("data", "gossip"))
    part["text"] = part["text"].replace("\nlistened", f"\n{refused}\nlistened")
    recording["host2"]["probing"] = ALONE["later"]
    keys, diagnosed = _found(recording)
    assert keys == ["CL306:host1", "CL306:host3"]
    text = "\n".join(told(one) for one in diagnosed.findings)
    assert "fix host2: iptables -I OUTPUT -p udp --dport 7946 -d 10.61.0.11 -j ACCEPT" in text
    assert "-I INPUT" not in text
    assert "CL305:host2" in text


@pytest.mark.parametrize(("number", "code"), [(13, "CL404"), (1, "CL404"), (2, "CL406"), (116, "CL407")])
def test_a_volume_that_cannot_be_mounted(number: int, code: str) -> None:
    recording = _recording()
    recording["host2"]["parts"]["mountable"]["text"] = f"shop {number}\nmountable end"
    keys, diagnosed = _found(recording)
    assert keys == [f"{code}:shop"]
    assert [one.hosts for one in diagnosed.findings if one.code == code] == [("host2",)]
    assert not diagnosed.unknown


@pytest.mark.skipif(sys.platform != "linux", reason="error numbers and texts of Linux")
@pytest.mark.parametrize(("number", "text"), mounts._TEXTS.items())
def test_error_numbers_are_those_of_linux(number: int, text: str) -> None:
    assert os.strerror(number) == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("shop 19\nmountable end", "volume shop cannot be mounted: No such device"),
        ("shop 70\nmountable end", "volume shop cannot be mounted: error 70 of Linux"),
        ("mountable end", "volume shop could not be mounted within 2 s, or was not tried"),
    ],
    ids=["another error", "ESTALE of macOS", "no answer"],
)
def test_a_volume_that_was_not_mounted_is_unknown(text: str, reason: str) -> None:
    recording = _recording()
    recording["host2"]["parts"]["mountable"]["text"] = text
    keys, diagnosed = _found(recording)
    assert not keys
    assert {(one.subject, one.reason) for one in diagnosed.unknown} == {("host2", reason)}
    assert not diagnosed.healthy


@pytest.mark.parametrize("error", ["perl: not found", "raw socket of UDP: Operation not permitted"])
def test_a_node_that_cannot_send_probes_is_unknown(error: str) -> None:
    """What its peers did not hear of it says nothing about the network."""
    recording = _recording(host1="host2 data 0;host2 gossip 0", host3="host2 data 0;host2 gossip 0")
    recording["host2"]["parts"]["heard"] = {"text": "", "exit": 127 if "not found" in error else 1, "error": error}
    keys, diagnosed = _found(recording)
    assert not keys
    assert {"CL305", "CL306"} <= {one.code for one in diagnosed.unknown}


@pytest.mark.parametrize("name", [one.name for one in PROBING])
@pytest.mark.parametrize(
    "part",
    [
        {"text": "", "exit": 0, "error": ""},
        {"text": "", "exit": 137, "error": ""},
        {"text": "host1 data 0\nhost3 data 0\nlistened 1 2 3", "exit": 0, "error": ""},
        {"text": "asked 1\nhost1 data 0\nheard end", "exit": 0, "error": ""},
        {"text": "asked 1\nhost1 data weg\nlistened 1 2 3\nheard end", "exit": 0, "error": ""},
    ],
    ids=["empty", "killed", "cut off", "without times", "localised"],
)
def test_probes_that_cannot_be_read_are_unknown(name: str, part: dict[str, Any]) -> None:
    """The uptime is needed only where something did not arrive."""
    recording = _recording(host1="host2 data 0;host2 gossip 0")
    recording["host2"]["parts"][name] = part
    keys, diagnosed = _found(recording)
    assert not keys or name == "mountable"
    assert diagnosed.unknown
    assert not diagnosed.healthy
