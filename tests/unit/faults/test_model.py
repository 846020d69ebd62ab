"""What files may say of faults."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from clusterlab.model.checks import step_model
from clusterlab.model.faults import LONGEST, parse_fault


def test_a_fault_is_named_by_its_key() -> None:
    fault = parse_fault({"partition": {"between": ["host1", ["host2", "gw"]], "lasts": "30s"}})
    assert fault.name == "partition"
    assert fault.params.lasts == 30
    assert fault.params.blast == 1


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, "has none"),
        ({"isolate": {"host": "a"}, "unplug": {"host": "a"}}, "exactly one kind"),
        ({"isolate": {"host": "a", "lasts": LONGEST + 1}}, "less than or equal"),
        ({"partition": {"between": ["a"]}}, "two sides"),
        ({"partition": {"between": ["a", "b"], "host": "a"}}, "exactly one of"),
        ({"partition": {"from": "a"}}, "exactly one of"),
        ({"block": {"port": "4789", "host": "a"}}, "not a port with its protocol"),
        ({"block": {"port": "70000/udp", "host": "a"}}, "not a port with its protocol"),
        ({"clock": {"host": "a", "by": "100d"}}, "not a difference of time"),
        ({"clock": {"host": "a", "by": "+2s"}}, "cannot be distinguished"),
        ({"memory": {"host": "a", "leave": "32M"}}, "end the host itself"),
        ({"fill_disk": {"host": "a", "path": "shares"}}, "not an absolute path"),
        ({"flap": {"host": "a", "down": "15s"}}, "less than 15"),
        ({"rate": {"host": "a", "mbit": 0}}, "greater than or equal"),
        ({"mtu": {"host": "a", "size": 1500}}, "less than or equal"),
        ({"slow_disk": {"host": "a", "iops": 1}}, "greater than or equal"),
        ({"duplicate_address": {"of": "a", "at": "a"}}, "its own address"),
    ],
)
def test_what_is_not_valid(value: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        parse_fault(value)


def test_a_fault_is_an_action_of_a_step_and_heal_is_one_word() -> None:
    step = step_model().model_validate({"do": {"isolate": {"host": "host2"}}})
    assert step.do is not None
    assert (step.do.name, step.do.container, step.do.service, step.do.breaks) == ("isolate", "", "", True)
    healing = step_model().model_validate({"do": "heal"})
    assert healing.do is not None
    assert (healing.do.name, healing.do.breaks) == ("heal", True)
