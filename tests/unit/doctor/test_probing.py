"""What follows from the probes of --probe: packets between nodes, and volumes that are mounted for a moment."""

from __future__ import annotations

from typing import Any

import pytest

from clusterlab.doctor.examine import examine
from clusterlab.doctor.finding import Diagnosed
from clusterlab.doctor.sections.heard import KINDS
from tests.support.doctor_cases import PROPERTIES, cluster_of, sound, told

NODES = ("host1", "host2", "host3")


def _recording(**levels: str) -> dict[str, Any]:
    """A sound lab with probes; `levels` are what a host heard, as host2="host1 data 0", in place of everything."""
    recording = sound()
    for host in NODES:
        lines = [f"{peer} {kind} 2" for peer in NODES if peer != host for kind in KINDS]
        for wrong in filter(None, levels.get(host, "").split(";")):
            lines = [wrong if line[:-2] == wrong[:-2] else line for line in lines]
        recording[host]["parts"]["heard"] = {"text": "\n".join([*lines, "heard end"]), "exit": 0, "error": ""}
        recording[host]["parts"]["mountable"] = {"text": "shop 0\nmountable end", "exit": 0, "error": ""}
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


@pytest.mark.parametrize(("number", "code"), [(13, "CL404"), (1, "CL404"), (2, "CL406"), (116, "CL407")])
def test_a_volume_that_cannot_be_mounted(number: int, code: str) -> None:
    recording = _recording()
    recording["host2"]["parts"]["mountable"]["text"] = f"shop {number}\nmountable end"
    keys, diagnosed = _found(recording)
    assert keys == [f"{code}:shop"]
    assert [one.hosts for one in diagnosed.findings if one.code == code] == [("host2",)]
    assert not diagnosed.unknown


@pytest.mark.parametrize("text", ["shop 19\nmountable end", "mountable end"], ids=["another error", "no answer"])
def test_a_volume_that_was_not_mounted_is_unknown(text: str) -> None:
    recording = _recording()
    recording["host2"]["parts"]["mountable"]["text"] = text
    keys, diagnosed = _found(recording)
    assert not keys
    assert {one.subject for one in diagnosed.unknown} == {"host2"}
    assert not diagnosed.healthy


@pytest.mark.parametrize("error", ["perl: not found", "raw socket of UDP: Operation not permitted"])
def test_a_node_that_cannot_send_probes_is_unknown(error: str) -> None:
    """What its peers did not hear of it says nothing about the network."""
    recording = _recording(host1="host2 data 0;host2 gossip 0", host3="host2 data 0;host2 gossip 0")
    recording["host2"]["parts"]["heard"] = {"text": "", "exit": 127 if "not found" in error else 1, "error": error}
    keys, diagnosed = _found(recording)
    assert not keys
    assert {"CL305", "CL306"} <= {one.code for one in diagnosed.unknown}
