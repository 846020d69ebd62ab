"""What is merged into daemon.json, and what becomes of keys that the inventory no longer has."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from clusterlab.model.inventory import Inventory
from clusterlab.model.lab import Lab
from clusterlab.remote import Host, Target
from clusterlab.remote.connection import Connections
from clusterlab.resources import record
from clusterlab.resources.base import Key
from clusterlab.resources.engine_settings import ENGINE_SETTINGS, Found, merged
from clusterlab.resources.observed import Observed
from clusterlab.resources.scope import Scope, Wants


@pytest.mark.parametrize(
    ("wanted", "found", "differing", "file"),
    [
        ({"debug": True}, Found({}), ["debug: wanted True, found None"], {"debug": True}),
        ({"debug": True}, Found({"debug": True, "mtu": 1400}), [], {"debug": True, "mtu": 1400}),
        ({"debug": True}, Found({"mtu": 1400}), ["debug: wanted True, found None"], {"debug": True, "mtu": 1400}),
        # The inventory had mtu: it was not there before, or had another value.
        ({}, Found({"mtu": 9000}, {"mtu": None}, {"mtu": 9000}), ["mtu: wanted None, found 9000"], {}),
        ({}, Found({"mtu": 9000}, {"mtu": 1400}, {"mtu": 9000}), ["mtu: wanted 1400, found 9000"], {"mtu": 1400}),
        # Another lab wants it, too.
        ({}, Found({"mtu": 9000}, {"mtu": 1400}, {"mtu": 9000}, frozenset({"mtu"})), [], {"mtu": 9000}),
        # Somebody has changed it since.
        ({}, Found({"mtu": 1234}, {"mtu": 1400}, {"mtu": 9000}), [], {"mtu": 1234}),
        ({"mtu": 1300}, Found({"mtu": 9000}, {"mtu": 1400}, {"mtu": 9000}), ["mtu: wanted 1300, found 9000"],
         {"mtu": 1300}),
    ],
)  # fmt: skip
def test_keys_are_merged_and_given_back(
    wanted: dict[str, Any], found: Found, differing: list[str], file: dict[str, Any]
) -> None:
    assert [str(one) for one in ENGINE_SETTINGS.differences(wanted, found)] == differing
    assert merged(found, wanted) == file


RESTART = "the engine has to restart, and its 2 running containers with it"
KEY = Key("host1", ENGINE_SETTINGS.name, "daemon.json")


def scope_of(running: int, file: str = '{"mtu": 9000}') -> Scope:
    """A host where provision set mtu to 9000, and where so many containers run now."""
    entries = (("engine settings", None), ("engine-settings-written", 9000))
    recorded = "\n".join(f"{record._file(kind, 'mtu')} {json.dumps(value)}" for kind, value in entries)
    answers = {record.SECTION: recorded, ENGINE_SETTINGS.name: file}
    host = Host(Target("host1", "192.168.98.11"), Connections())
    return Scope("demo", {"host1": Observed("demo", host, {"info": {"ContainersRunning": running}}, answers)})


@pytest.mark.parametrize(("machines", "blocked"), [("existing", True), ("namespaces", False)])
def test_an_engine_of_others_is_not_restarted_when_the_last_key_leaves_the_inventory(
    machines: str, blocked: bool
) -> None:
    host = {"address": "192.168.98.11", "roles": ["docker"]}
    lab = Lab(Inventory.model_validate({"lab": "demo", "machines": machines, "hosts": {"host1": host}}))
    [change] = ENGINE_SETTINGS.changes(Wants(lab), scope_of(2))
    assert change.blocked.startswith(RESTART) is blocked
    [change] = ENGINE_SETTINGS.changes(Wants(lab), scope_of(0))
    assert (change.action, change.blocked) == ("restore", "")


@pytest.mark.parametrize(("theirs", "action"), [(9000, "forget"), (1500, "restore")])
def test_a_value_that_another_lab_wants_stays(theirs: int, action: str) -> None:
    scope = scope_of(0)
    at = scope.at(KEY)
    recorded = {**at.answers, record.OTHERS: f"blog/{record._file('engine-settings-written', 'mtu')} {theirs}"}
    scope = Scope("demo", {"host1": replace(at, answers=recorded)})
    assert ENGINE_SETTINGS.remove(scope, KEY, ENGINE_SETTINGS.observe(scope)[KEY], "why").action == action


def test_managers_restart_one_after_the_other() -> None:
    """A Swarm without a majority of its managers decides nothing."""
    roles = {"host1": "swarm_manager", "host2": "swarm_manager", "host3": "swarm_worker", "host4": "swarm_manager"}
    hosts = {
        name: {"address": f"192.168.98.1{number}", "roles": ["docker", role]}
        for number, (name, role) in enumerate(roles.items())
    }
    lab = Lab(
        Inventory.model_validate({"lab": "demo", "machines": "existing", "engine": {"mtu": 1400}, "hosts": hosts})
    )
    observed = {
        name: Observed(
            "demo", Host(Target(name, "192.168.98.11"), Connections()), {"info": {"ContainersRunning": running}}
        )
        for name, running in (("host1", 0), ("host2", 3), ("host3", 0), ("host4", 0))
    }
    changes = {change.key.host: change for change in ENGINE_SETTINGS.changes(Wants(lab), Scope("demo", observed))}
    assert {host: sorted(key.host for key in change.needs) for host, change in changes.items()} == {
        "host1": [],
        "host2": [],
        "host3": [],
        "host4": ["host1"],
    }
    assert changes["host2"].blocked


def test_deprovision_restarts_no_engine_in_which_others_have_containers() -> None:
    for scope, why in ((scope_of(2), RESTART), (scope_of(0), ""), (scope_of(0, "{"), "is not a JSON object")):
        [(key, found)] = ENGINE_SETTINGS.observe(scope).items()
        assert why in ENGINE_SETTINGS.kept(scope, key, found)
        assert bool(ENGINE_SETTINGS.kept(scope, key, found)) is bool(why)
        assert bool(ENGINE_SETTINGS.remove(scope, key, found, "why").blocked) is bool(why)
    gone = scope_of(2, "{}")  # somebody has taken the key out already
    assert ENGINE_SETTINGS.kept(gone, KEY, ENGINE_SETTINGS.observe(gone)[KEY]) == ""
    assert ENGINE_SETTINGS.remove(gone, KEY, ENGINE_SETTINGS.observe(gone)[KEY], "why").action == "forget"
