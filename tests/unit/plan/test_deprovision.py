"""What deprovision takes back, and what stays."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from clusterlab.plan import clean
from clusterlab.plan import deprovision as module
from clusterlab.plan.deprovision import deprovision
from clusterlab.remote import Host, Hosts, Target
from clusterlab.remote.connection import Connections
from clusterlab.resources.base import Change, Key
from clusterlab.resources.observed import Observed


def kind(name: str, hosts: list[str], kept: str = "") -> Any:
    return SimpleNamespace(
        name=name,
        observe=lambda scope: {Key(host, name, name): None for host in hosts},
        owns=lambda lab, found: True,
        kept=lambda scope, key, found: kept,
        rest=lambda key, found: "",
        remove=lambda scope, key, found, reason: Change(key, "remove", reason, "", lambda: None),
    )


def test_packages_stay_where_somebody_still_uses_what_they_bring(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = [kind("package", ["host1", "host2"]), kind("swarm", ["host1"], "others use the Swarm: service web")]
    monkeypatch.setattr(module, "kinds", lambda: kinds)
    monkeypatch.setattr(clean, "left_over", lambda lab, hosts: [])
    monkeypatch.setattr(
        module, "_observe", lambda lab, name: Observed(lab, Host(Target(name, "10.0.0.1"), Connections()))
    )

    class Reached(dict[str, str]):
        def each(self, names: list[str], ask: Any) -> dict[str, Any]:
            return {name: ask(name) for name in names}

    withdrawal = deprovision("shop", cast(Hosts, Reached(host1="", host2="")), ["--packages", "--swarm"])
    assert [one.key for one in withdrawal.changes] == [Key("host2", "package", "package")]
    assert {one.key.kind: one.reason for one in withdrawal.kept} == {
        "swarm": "others use the Swarm: service web",
        "package": "what stays on host1 may need it: swarm swarm",
    }
