"""What doctor's diagnoses cost in the number of nodes: some for each node, little for each pair, nothing beyond."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clusterlab.doctor.document import Document
from clusterlab.doctor.examine import examine
from tests.support.doctor_cases import cluster_of, sound

NODES = 16


def _many(number: int) -> dict[str, Any]:
    """The recording of a sound lab with more workers like host3, which all know each other."""
    recording = sound()
    swarm = recording["host3"]["api"]["info"]["Swarm"]
    (entry,) = [one for one in recording["host1"]["api"]["nodes"] if one["ID"] == swarm["NodeID"]]
    names = [f"worker{at}" for at in range(number)]
    for at, name in enumerate(names):
        text = json.dumps([recording["host3"], entry])
        for old, new in (("host3", name), (swarm["NodeAddr"], f"10.61.1.{at + 1}"), (swarm["NodeID"], f"node{at:021}")):
            text = text.replace(old, new)
        recording[name], node = json.loads(text)
        recording["host1"]["api"]["nodes"].append(node)
    peers = [{"Name": name, "IP": f"10.61.1.{at + 1}"} for at, name in enumerate(names)]
    for name in ("host1", "host2", "host3", *names):
        recording[name]["api"]["ingress"]["Peers"] += peers
    return recording


def _values(number: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many values of the API's answers are looked at for that many workers more."""
    cluster, count = cluster_of(_many(number)), 0
    created = Document.__init__

    def counted(document: Document, *given: Any) -> None:
        nonlocal count
        count += 1
        created(document, *given)

    with monkeypatch.context() as patched:
        patched.setattr(Document, "__init__", counted)
        examine(cluster)
    return count


def test_a_pair_of_nodes_costs_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """The part that grows with the square of the number of nodes, or faster, is few values for each pair of them."""
    none, some, twice = (_values(number, monkeypatch) for number in (0, NODES, 2 * NODES))
    assert (twice - 2 * some + none) / (2 * NODES**2) < 50, (none, some, twice)
