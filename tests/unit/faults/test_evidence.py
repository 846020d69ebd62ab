"""What the evidence of a fault in a check shows can be typed: it injects the same fault."""

from __future__ import annotations

import shlex
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml

from clusterlab.checks import fault_actions
from clusterlab.checks.places import Places
from clusterlab.model.faults import parse_fault
from clusterlab.model.playbook import Play


@pytest.mark.parametrize(
    "fault",
    [
        {"isolate": {"host": "host2", "lasts": "1m"}},
        {"partition": {"from": "host1", "to": "host2"}},
        {"fill_disk": {"host": "host2", "path": "/var/it's", "leave": "20M"}},
    ],
)
def test_the_command_injects_the_same_fault(fault: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [{"do": fault}, {"command": {"on": "host1", "run": "ls /x"}}]
    play = Play.model_validate({"title": "t", "checks": [{"title": "x", "steps": steps}]})
    (action,) = [step.do for step in play.checks[0].steps if step.do]
    injected = SimpleNamespace(hosts=["host2"], seen="it is seen")
    monkeypatch.setattr(fault_actions, "Scene", lambda *_: None)
    monkeypatch.setattr(fault_actions, "inject", lambda *_: injected)
    places = cast(Places, SimpleNamespace(lab=None, hosts=None))
    found = fault_actions.FaultActions(places).act(action)
    program, verb, text = shlex.split(found.evidence.command)
    assert (program, verb) == ("clusterlab", "fault")
    assert parse_fault(yaml.safe_load(text)) == parse_fault(fault)
