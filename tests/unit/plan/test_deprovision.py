"""What deprovision takes back, and what stays."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from clusterlab.plan import clean
from clusterlab.plan import deprovision as module
from clusterlab.plan.deprovision import Withdrawal, deprovision
from clusterlab.remote import Host, Hosts, Target
from clusterlab.remote.connection import Connections
from clusterlab.resources import record
from clusterlab.resources.base import Change, Key
from clusterlab.resources.observed import Observed


def kind(name: str, hosts: list[str], kept: str = "", shared: bool = False) -> Any:
    return SimpleNamespace(
        name=name,
        shared=shared,
        runs=name in ("swarm", "registry"),
        underlies=name == "package",
        observe=lambda scope: {Key(host, name, name): None for host in hosts},
        owns=lambda lab, found: True,
        files=lambda lab, key: [f"/etc/{name}.conf"] if shared else [],
        kept=lambda scope, key, found: kept,
        rest=lambda key, found: "",
        remove=lambda scope, key, found, reason: Change(key, "remove", reason, "", lambda: None),
    )


def withdrawn(monkeypatch: pytest.MonkeyPatch, kinds: list[Any], others: str = "") -> Withdrawal:
    """What deprovision takes back of a lab with two hosts, on which `others` are the records of other labs."""
    monkeypatch.setattr(module, "kinds", lambda: kinds)
    monkeypatch.setattr(clean, "left_over", lambda lab, hosts: [])

    def observe(lab: str, name: str) -> Observed:
        return Observed(lab, Host(Target(name, "10.0.0.1"), Connections()), answers={record.OTHERS: others})

    class Reached(dict[str, str]):
        def each(self, names: list[str], ask: Any) -> dict[str, Any]:
            return {name: ask(name) for name in names}

    monkeypatch.setattr(module, "_observe", observe)
    return deprovision("shop", cast(Hosts, Reached(host1="", host2="")), ["--packages", "--swarm"])


def test_packages_stay_where_somebody_still_uses_what_they_bring(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = [kind("package", ["host1", "host2"]), kind("swarm", ["host1"], "others use the Swarm: service web")]
    withdrawal = withdrawn(monkeypatch, kinds)
    assert [one.key for one in withdrawal.changes] == [Key("host2", "package", "package")]
    assert {one.key.kind: one.reason for one in withdrawal.kept} == {
        "swarm": "others use the Swarm: service web",
        "package": "what stays on host1 may need it: swarm swarm",
    }


def test_what_another_lab_uses_is_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = [
        kind("package", ["host1"], shared=True),
        kind("registry", ["host2"], shared=True),
        kind("sysctl", ["host1"]),
    ]
    others = "blog/registry@registry null\nnews/registry@registry null\nblog/sysctl@sysctl null\n"
    withdrawal = withdrawn(monkeypatch, kinds, others)
    assert {(one.action, one.key.kind) for one in withdrawal.changes} == {
        ("remove", "package"),
        ("forget", "registry"),
        ("remove", "sysctl"),
    }
    [left] = [one for one in withdrawal.changes if one.action == "forget"]
    folder = "/var/lib/clusterlab/provision/shop"
    assert left.command == f"rm -f {folder}/registry@registry {folder}/written%20file@%2Fetc%2Fregistry.conf"
    assert [one.reason for one in withdrawal.kept] == ["the labs blog, news use it, too"]
