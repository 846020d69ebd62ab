"""The record of a host: the state before the first change, for one lab and for several."""

from __future__ import annotations

from pathlib import Path

import pytest

from clusterlab.resources import record
from clusterlab.resources.registry_server import REGISTRY
from clusterlab.resources.sysctl import SYSCTL
from tests.support.rooted import Rooted

PARAMETER = "vm.swappiness"


@pytest.fixture
def host(tmp_path: Path) -> Rooted:
    return Rooted(tmp_path / "root")


def test_the_state_before_the_first_lab_counts_for_all(host: Rooted) -> None:
    record.remember(host, "blog", REGISTRY.name, {"docker-registry": "version: 0.1"}, shared=True)
    assert record.others(host.observed(), REGISTRY.name) == {}  # not asked for
    answers = {record.OTHERS: host.run(record.question_of_others("demo")).stdout}
    assert record.others(host.observed(answers), REGISTRY.name) == {"docker-registry": {"blog": '"version: 0.1"'}}
    record.remember(host, "demo", REGISTRY.name, {"docker-registry": ""}, shared=True)
    record.remember(host, "demo", SYSCTL.name, {PARAMETER: "10"})
    assert record.entries(host.observed(), REGISTRY.name) == {"docker-registry": "version: 0.1"}
    record.forget(host, "demo", SYSCTL.name, [PARAMETER])
    record.forget(host, "blog", REGISTRY.name, ["docker-registry"])
    assert host.run(record.question_of_others("demo")).stdout == ""
    assert host.run(record.question_of_others("blog")).stdout == 'demo/registry@docker-registry "version: 0.1"\n'


@pytest.mark.parametrize("damage", ["", '{"active": "ina', '"version'])
def test_a_damaged_entry_of_another_lab_is_not_taken_over(host: Rooted, damage: str) -> None:
    record.remember(host, "blog", REGISTRY.name, {"docker-registry": "version: 0.1"}, shared=True)
    file = host.root / record.path("blog", REGISTRY.name, "docker-registry").lstrip("/")
    file.write_text(damage)
    record.remember(host, "demo", REGISTRY.name, {"docker-registry": "version: 0.2"}, shared=True)
    assert record.entries(host.observed(), REGISTRY.name) == {"docker-registry": "version: 0.2"}
    record.remember(host, "news", REGISTRY.name, {"docker-registry": ""}, shared=True)  # one of two can be read
    assert host.run(f"cat {record.path('news', REGISTRY.name, 'docker-registry')}").stdout == '"version: 0.2"'
