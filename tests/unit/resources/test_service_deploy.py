"""Options of `deploy` that a play gives, no longer gives, or never gave."""

from __future__ import annotations

import copy
from typing import Any

from clusterlab.model.playbook import Service
from clusterlab.resources.service_body import WantedService, update_command, wanted_service
from clusterlab.resources.service_deploy import differing, put

LIMITED = {
    "resources": {"limits": {"memory": "64M", "pids": 9}},
    "update_config": {"parallelism": 2, "order": "start-first"},
}


def wanted(**deploy: Any) -> WantedService:
    service = Service.model_validate({"image": "i", "deploy": deploy})
    return wanted_service("lab", "play", "name", service, "tag")


def made(service: WantedService) -> dict[str, Any]:
    return copy.deepcopy({**service.spec("id"), "Labels": service.labels, "Mode": service.mode})


def names(service: WantedService, spec: dict[str, Any]) -> list[str]:
    return [one.name for one in differing(service.deployed(spec), spec)]


def test_what_a_play_no_longer_gives_is_the_engines_default_again() -> None:
    spec, after = made(wanted(**LIMITED)), wanted(update_config={"order": "start-first"})
    assert names(after, spec) == ["resources.limits.memory", "resources.limits.pids", "update_config.parallelism"]
    command = " ".join(update_command(after, spec, {}, "id"))
    assert "--limit-memory 0 --limit-pids 0 --update-parallelism 1" in command
    put(after.deployed(spec), spec)
    assert spec["TaskTemplate"]["Resources"]["Limits"] == {"MemoryBytes": 0, "Pids": 0}
    assert spec["UpdateConfig"] == {"Parallelism": 1, "Order": "start-first"}
    spec["Labels"] = after.labels
    assert names(after, spec) == []


def test_what_others_set_stays_while_the_play_is_the_same() -> None:
    same = wanted(update_config={"delay": "1s"})
    spec = made(same)
    spec["TaskTemplate"]["Resources"] = {"Limits": {"Pids": 77}}
    assert names(same, spec) == []
    assert "--limit-pids" not in update_command(same, spec, {}, "id")
    before = copy.deepcopy(spec)
    put(same.deployed(spec), spec)
    assert spec == before


def test_the_engine_keeps_no_monitor_of_zero() -> None:
    zero = wanted(update_config={"monitor": "0s"}, rollback_config={"monitor": "0s"})
    spec = made(zero)
    for config in ("UpdateConfig", "RollbackConfig"):
        assert spec[config].pop("Monitor") == 5 * 10**9
    assert names(zero, spec) == []


def test_a_new_update_config_replaces_one_task_at_a_time_as_with_commands() -> None:
    spec = made(wanted(update_config={"delay": "1s"}, rollback_config={"parallelism": 0}))
    assert spec["UpdateConfig"] == {"Parallelism": 1, "Delay": 10**9}
    assert spec["RollbackConfig"] == {"Parallelism": 0}
