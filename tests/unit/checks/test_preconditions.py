"""Preconditions by given facts: which cause is named, what a check depends on, and when a wait is cut short."""

from __future__ import annotations

import shlex
import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from clusterlab.checks import facts
from clusterlab.checks import guard as guards
from clusterlab.checks.dependencies import Dependencies, dependencies
from clusterlab.checks.facts import Facts, Node, parse
from clusterlab.checks.guard import CheckGuard, Guard
from clusterlab.checks.places import Places
from clusterlab.checks.preconditions import (
    ContainerRuns,
    EngineAnswers,
    HostReachable,
    InSwarm,
    ManagerAnswers,
    ManagerAtWork,
    NfsServerAnswers,
    NodeAvailable,
    Precondition,
    ServiceRuns,
)
from clusterlab.checks.subjects import subjects
from clusterlab.model.inventory import Inventory
from clusterlab.model.lab import Lab
from clusterlab.model.playbook import Play
from clusterlab.remote import Hosts
from clusterlab.remote.channels import MAX_CHANNELS, Channels, ChannelsInUse, SessionRefused
from clusterlab.remote.completed import Completed
from clusterlab.remote.connection import Connections
from clusterlab.remote.target import Target

ACTIVE = {"LocalNodeState": "active", "Labels": {"org.clusterlab.lab": "demo"}}
NODES = {"192.168.98.11": Node("ready", "active"), "192.168.98.12": Node("ready", "active")}
WELL = {
    "gw": Facts("gw", 0.0, nfs_listens=True),
    "host1": Facts("host1", 0.0, swarm=ACTIVE, nodes=NODES, services={"api": (2, 2)}, containers={"web": "Up 3 days"}),
    "host2": Facts("host2", 0.0, swarm=ACTIVE, containers={"app": "Up 1 second (health: starting)"}),
}
DOWN = {"engine_down": "the Docker engine is not running"}
MANAGERS = ("host1",)
NODE = NodeAvailable("host2", "192.168.98.12", MANAGERS, "demo")


@pytest.mark.parametrize(
    ("one", "host", "changed", "code"),
    [
        (HostReachable("host2"), "host2", {"unreachable": "no route"}, "host-unreachable"),
        (EngineAnswers("host2"), "host2", {"unreachable": "no route"}, "host-unreachable"),
        (EngineAnswers("host2"), "host2", DOWN, "engine-down"),
        (EngineAnswers("host2"), "host2", {**DOWN, "engine_silent": True}, "engine-silent"),
        (ContainerRuns("host1", "web"), "host1", DOWN, "engine-down"),
        (ContainerRuns("host1", "web"), "host1", {"containers": {}}, "container-missing"),
        (ContainerRuns("host1", "web"), "host1", {"containers": {"web": "Exited (137) 2 s ago"}}, "container-stopped"),
        (ContainerRuns("host1", "web"), "host1", {"containers": {"web": "Up 2 days (Paused)"}}, "container-paused"),
        (ManagerAnswers(MANAGERS), "host1", {**DOWN, "nodes": None}, "engine-down"),
        (ManagerAnswers(MANAGERS), "host1", {"nodes": None}, "swarm-no-leader"),
        (ManagerAnswers(MANAGERS), "host1", {"nodes": None, "swarm": {}}, "swarm-inactive"),
        (InSwarm("host2"), "host2", {"swarm": {"LocalNodeState": "inactive"}}, "swarm-inactive"),
        (ManagerAtWork("host1"), "host1", {**DOWN, "nodes": None}, "engine-down"),
        (ManagerAtWork("host1"), "host1", {"nodes": None, "swarm": {}}, "swarm-inactive"),
        (ManagerAtWork("host1"), "host1", {"nodes": None}, "manager-not-at-work"),
        (NODE, "host2", DOWN, "engine-down"),
        (NODE, "host1", {"nodes": {}}, "node-missing"),
        (NODE, "host1", {"nodes": {"192.168.98.12": Node("down", "active")}}, "node-down"),
        (NODE, "host1", {"nodes": {"192.168.98.12": Node("ready", "drain")}}, "node-drained"),
        (NODE, "host1", {"nodes": {"192.168.98.12": Node("ready", "pause")}}, "node-paused"),
        (ServiceRuns("api", MANAGERS), "host1", {"services": {}}, "service-missing"),
        (ServiceRuns("api", MANAGERS), "host1", {"services": {"api": (0, 2)}}, "service-down"),
        (NfsServerAnswers("gw"), "gw", {"nfs_listens": False}, "nfs-server-down"),
    ],
)
def test_each_precondition_names_the_most_basic_cause(
    one: Precondition, host: str, changed: dict[str, Any], code: str
) -> None:
    assert one.failure(WELL) is None
    failure = one.failure({**WELL, host: replace(WELL[host], **changed)})
    assert failure is not None
    assert failure.cause.code == code
    assert failure.cause.remedy
    assert "\n" not in failure.cause.summary


@pytest.mark.parametrize("found", ["drain", "pause"])
def test_a_node_that_gets_no_tasks_on_purpose_blocks_nothing(found: str) -> None:
    nodes = {"192.168.98.12": Node("ready", found)}

    def judged(swarm: dict[str, Any], availability: Any = None) -> str:
        failure = replace(NODE, availability=availability).failure(
            {**WELL, "host1": replace(WELL["host1"], nodes=nodes, swarm=swarm)}
        )
        return failure.cause.code if failure else ""

    code = {"drain": "node-drained", "pause": "node-paused"}[found]
    foreign: dict[str, Any] = {"LocalNodeState": "active", "Labels": None}
    assert judged(ACTIVE) == code
    assert judged(foreign) == ""
    assert judged({**foreign, "Labels": {"org.clusterlab.lab": "another"}}) == ""
    assert judged(foreign, "active") == judged(ACTIVE, "active") == code
    assert judged(foreign, found) == judged(ACTIVE, found) == ""


@pytest.mark.parametrize("status", ["Created", "Restarting (1) 2 seconds ago", "Removal In Progress"])
def test_what_may_come_up_by_itself_is_passing(status: str) -> None:
    failure = ContainerRuns("host1", "web").failure({"host1": replace(WELL["host1"], containers={"web": status})})
    assert failure is not None
    assert failure.passing


def test_a_node_that_has_not_reported_to_a_new_leader_yet_is_passing() -> None:
    nodes = {"192.168.98.12": Node("unknown", "active")}
    failure = NODE.failure({**WELL, "host1": replace(WELL["host1"], nodes=nodes)})
    assert failure is not None
    assert (failure.cause.code, failure.passing) == ("node-down", True)


PRINTED = """\
== clusterlab: nfs 0
2
== clusterlab: engine 0
web Up 3 minutes
db Exited (137) 4 seconds ago
== clusterlab: swarm 0
WARNING: something
{"NodeID":"x","NodeAddr":"10.1.0.1","LocalNodeState":"active","ControlAvailable":true}
== clusterlab: ids 0
a
b
== clusterlab: nodes 0
{"addr": "0.0.0.0", "state": "ready", "availability": "active", "serves": "10.1.0.1:2377", "leads": true}
{"addr": "10.1.0.2", "state": "down", "availability": "drain", "serves": "", "leads": false}
== clusterlab: services 0
api 1/2
one 1/1 (max 1 per node)
"""


def test_what_a_host_prints_is_read() -> None:
    found = parse("host1", PRINTED)
    assert found.answers
    assert found.nfs_listens
    assert found.swarm["LocalNodeState"] == "active"
    assert found.containers == {"web": "Up 3 minutes", "db": "Exited (137) 4 seconds ago"}
    assert found.nodes == {"10.1.0.1": Node("ready", "active", True), "10.1.0.2": Node("down", "drain")}
    assert found.services == {"api": (1, 2), "one": (1, 1)}


@pytest.mark.parametrize("late", ["swarm 0", "ids 0", "nodes 0", "services 0"])
def test_from_a_question_that_took_too_long_nothing_follows(late: str) -> None:
    assert parse("host1", PRINTED).complete
    assert not parse("host1", PRINTED.replace(late, f"{late.split()[0]} 124")).complete


@pytest.mark.parametrize(
    ("printed", "why"),
    [
        ("1\nCannot connect to the Docker daemon at unix:///x. Is the docker daemon running?", "is not running"),
        ("124\n", "does not answer within"),
        ("127\nsh: docker: not found", "cannot be used: sh: docker: not found"),
    ],
)
def test_an_engine_that_does_not_answer(printed: str, why: str) -> None:
    found = parse("host1", f"== clusterlab: nfs 0\n0\n== clusterlab: engine {printed}")
    assert why in found.engine_down
    assert found.nfs_listens is False
    assert found.nodes is None


LAB = Lab(
    Inventory.model_validate(
        {
            "lab": "demo",
            "hosts": {
                "gw": {"address": "192.168.98.1", "roles": ["nfs_server"]},
                "host1": {"address": "192.168.98.11", "roles": ["docker", "swarm_manager"]},
                "host2": {"address": "192.168.98.12", "roles": ["docker", "swarm_worker"]},
            },
        }
    )
)
NFS = {"type": "nfs", "o": "addr=192.168.98.1,rw", "device": ":/shares"}
AWAY = {"constraints": ["node.hostname == host1"]}


def needs(check: dict[str, Any]) -> Dependencies:
    play = Play.model_validate(
        {
            "title": "t",
            "volumes": {"share": {"driver_opts": NFS}, "local": {}},
            "networks": {"mesh": {"driver": "overlay", "attachable": True}},
            "containers": {
                "web": {"host": "host1", "image": "web"},
                "app": {"host": "host2", "image": "shell", "volumes": ["share:/data"], "networks": ["mesh"]},
                "heir": {"host": "host2", "image": "shell", "volumes_from": ["app"]},
            },
            "services": {
                "api": {"image": "web"},
                "near": {"image": "web", "deploy": {"placement": AWAY}},
                "filed": {"image": "web", "volumes": ["share:/data"]},
            },
            "checks": [{"title": "x", **check}],
        }
    )
    lab = Lab(LAB.inventory, {"p": play}, Path())
    (only,) = play.checks
    return dependencies(only, lab, play, subjects(only, Places(lab, play, Hosts({}))))


WEB, APP = ContainerRuns("host1", "web"), ContainerRuns("host2", "app")


@pytest.mark.parametrize(
    ("check", "before", "more"),
    [
        ({"command": {"on": "host2", "run": "id"}}, [HostReachable("host2")], []),
        ({"command": {"in": "web", "run": "id"}}, [WEB], []),
        ({"command": {"in": "app", "run": "id"}}, [APP], [InSwarm("host2"), NfsServerAnswers("gw")]),
        ({"ping": {"in": "web", "to": "app"}}, [WEB], [InSwarm("host2"), NfsServerAnswers("gw"), APP]),
        ({"inspect": {"container": "web", "path": "State.Running", "value": True}}, [EngineAnswers("host1")], []),
        ({"http": {"on": "gw", "url": "http://host1/"}}, [HostReachable("gw")], [EngineAnswers("host1")]),
        ({"inspect": {"engine": True, "on": "host2", "path": "Driver", "value": "x"}}, [EngineAnswers("host2")], []),
        (
            {"inspect": {"tasks": "near", "path": "*.Node", "value": ["host1"]}},
            [ManagerAnswers(MANAGERS)],
            [NodeAvailable("host1", "192.168.98.11", MANAGERS, "demo")],
        ),
        ({"steps": [{"do": {"start": "web"}}, {"command": {"in": "web", "run": "id"}}]}, [EngineAnswers("host1")], []),
        (
            {"steps": [{"command": {"on": "host1", "run": "x"}}, {"command": {"in": "web", "run": "id"}}]},
            [HostReachable("host1"), EngineAnswers("host1")],
            [],
        ),
    ],
)
def test_what_a_check_depends_on(check: dict[str, Any], before: list[Precondition], more: list[Precondition]) -> None:
    found = needs(check)
    assert list(found.before) == before
    assert [one for one in found.during if one not in before] == more


SERVER = NfsServerAnswers("gw")
ON_SERVER = {"command": {"on": "gw", "run": "ls /shares"}}
ONE_OFF = {"on": "host1", "image": "shell", "command": ["true"]}


@pytest.mark.parametrize(
    "check",
    [
        {"run": {**ONE_OFF, "volumes": ["share:/data"]}},
        {"run": {**ONE_OFF, "on": "host2", "volumes_from": ["app"]}},
        {"run": {**ONE_OFF, "on": "host2", "volumes_from": ["heir"]}},
        {"steps": [ON_SERVER, {"run": {**ONE_OFF, "volumes": ["share:/data"]}}]},
        {"command": {"in": "app", "run": ["df", "/data"]}},
        {"command": {"in": ["web", "heir"], "run": "cd /data/below && ls"}},
        {"file": {"in": "app", "path": "/data/x"}},
        {"shared_file": {"in": ["app", "heir"], "path": "/data/x"}},
        {"steps": [{"do": {"recreate": "app"}}, ON_SERVER]},
        {"steps": [{"do": {"restart": "heir"}}, ON_SERVER]},
        {"steps": [{"do": {"scale": {"service": "filed", "replicas": 2}}}, ON_SERVER]},
        {"steps": [{"do": {"drain": "host2"}}, ON_SERVER]},
    ],
)
def test_what_would_wait_for_a_dead_nfs_server_is_not_begun(check: dict[str, Any]) -> None:
    assert SERVER in needs(check).before


@pytest.mark.parametrize(
    "check",
    [
        {"run": ONE_OFF},
        {"run": {**ONE_OFF, "volumes": ["local:/data"]}},
        {"command": {"in": "app", "run": "ls /database /other/data"}},
        {"command": {"in": "web", "run": "ls /data"}},
        {"file": {"in": "app", "path": "/etc/passwd"}},
        {"mount": {"in": "app", "path": "/data", "type": "nfs4"}},
        {"inspect": {"volume": "share", "path": "Options.type", "value": "nfs"}},
        {"steps": [{"do": {"recreate": "web"}}, ON_SERVER]},
        {"steps": [{"do": {"scale": {"service": "api", "replicas": 2}}}, ON_SERVER]},
    ],
)
def test_what_reads_nothing_of_an_nfs_server_is_proven_without_it(check: dict[str, Any]) -> None:
    assert SERVER not in needs(check).before


def test_a_check_that_drains_does_not_depend_on_nodes_that_take_tasks() -> None:
    steps = [{"do": {"drain": "host2"}}, {"inspect": {"tasks": "api", "path": "*.Node", "value": ["host1"]}}]
    found = needs({"steps": steps})
    assert not [one for one in found.during if isinstance(one, NodeAvailable | ServiceRuns)]
    assert found.before == (
        ManagerAnswers(MANAGERS),
        NodeAvailable("host1", "192.168.98.11", MANAGERS, "demo"),
        NODE,
        SERVER,
    )


class Script:
    """Facts of one host that are given out one after the other; the last one stays."""

    def __init__(self, *facts: dict[str, Any]) -> None:
        self.facts = list(facts)
        self.asked = 0

    def observe(self, host: object, roles: object) -> Facts:
        self.asked += 1
        found = self.facts.pop(0) if len(self.facts) > 1 else self.facts[0]
        return Facts("host2", time.monotonic(), swarm=ACTIVE, **found)


def guarded(monkeypatch: pytest.MonkeyPatch, script: Script, asking: Sequence[Precondition]) -> CheckGuard:
    monkeypatch.setattr(guards, "observe", script.observe)
    monkeypatch.setattr(guards, "_GRACE", 0.05)
    monkeypatch.setattr(guards, "_FRESH", 0.0)
    return CheckGuard(Guard(LAB, _Anything()), Dependencies(tuple(asking), tuple(asking)), Event())  # type: ignore[arg-type]


class _Anything:
    def __getitem__(self, name: str) -> object:
        return name


ENGINE = EngineAnswers("host2")


@pytest.mark.parametrize("waits", [False, True])
def test_before_a_check_is_blocked_the_facts_are_read_again(monkeypatch: pytest.MonkeyPatch, waits: bool) -> None:
    passing = Script(DOWN, {})
    assert guarded(monkeypatch, passing, [ENGINE]).before(waits) is None
    lasting = Script(DOWN, DOWN)
    cause = guarded(monkeypatch, lasting, [ENGINE]).before(waits)
    assert cause is not None
    assert cause.code == "engine-down"
    assert (passing.asked, lasting.asked) == (2, 2)


SILENT = {**DOWN, "engine_silent": True, "took": 8.0}


def test_one_slow_reading_of_a_busy_engine_blocks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = Script(SILENT, {})
    guard = guarded(monkeypatch, busy, [ENGINE])
    guard._guard.begin()
    assert guard._guard.silent("host2") == ""
    assert guard.before(False) is None
    busy = Script(SILENT, {})
    guard = guarded(monkeypatch, busy, [ENGINE])
    guard._guard.facts("host2", 0.0)
    assert guard.before(False) is None
    assert busy.asked == 2


def test_one_slow_reading_of_a_busy_host_blocks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = Script({"unreachable": "no command completes there within 20 s", "took": 20.0}, {})
    guard = guarded(monkeypatch, busy, [ENGINE])
    guard._guard.facts("host2", 0.0)
    assert guard.before(False) is None
    assert busy.asked == 2


def test_a_silent_engine_is_confirmed_once_and_then_not_asked_by_every_check(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = Script(SILENT)
    guard = guarded(monkeypatch, silent, [ENGINE])
    guard._guard.facts("host2", 0.0)
    causes = [guard.before(waits) for waits in (False, True, False)]
    assert [cause.code for cause in causes if cause] == ["engine-silent"] * 3
    assert causes[0] is not None
    assert "journalctl -u docker" in causes[0].remedy
    assert silent.asked == 2


@pytest.mark.parametrize("then", [{"complete": False, "asked": False}, {"complete": False}])
def test_only_an_answer_ends_that_a_host_is_unreachable(monkeypatch: pytest.MonkeyPatch, then: dict[str, Any]) -> None:
    """An earlier question that still hangs on a frozen host holds the channel that the next one needs."""
    guard = guarded(monkeypatch, Script({"unreachable": "frozen"}, then), [ENGINE])
    cause = guard.before(False)
    assert (cause.code if cause else "") == ("" if then.get("asked", True) else "host-unreachable")


def test_facts_that_are_well_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script({})
    guard = guarded(monkeypatch, script, [ENGINE])
    assert guard.before(False) is None
    assert guard.before(True) is None
    assert script.asked == 1


def test_a_container_that_is_starting_cuts_no_wait_short_and_is_the_cause_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    guard = guarded(monkeypatch, Script({"containers": {"app": "Restarting (1) 1 second ago"}}), [APP])
    assert guard.before(True) is None
    for _ in range(3):
        assert guard.after(False) is None
        Event().wait(0.03)
    cause = guard.after(True)
    assert cause is not None
    assert cause.code == "container-stopped"


def test_a_wait_is_cut_short_when_the_cause_has_lasted(monkeypatch: pytest.MonkeyPatch) -> None:
    guard = guarded(monkeypatch, Script({"containers": {"app": "Exited (1) 1 s ago"}}), [APP])
    assert guard.after(False) is None
    Event().wait(0.06)
    cause = guard.after(False)
    assert cause is not None
    assert cause.subject == "container app on host2"


class _Channel:
    closed = False

    def close(self) -> None:
        self.closed = True


def busy_channels(monkeypatch: pytest.MonkeyPatch) -> Channels:
    """The channels of a host whose connection works, all of which the checks hold."""
    channels = Channels(Target("host2", "192.168.98.12"), Connections(), Counter())
    monkeypatch.setattr(channels, "_open_channel", lambda opening: _Channel())
    for _ in range(MAX_CHANNELS):
        channels.take(0.0)
    return channels


def test_questions_about_a_busy_host_do_not_wait_for_its_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    channels = busy_channels(monkeypatch)
    for _ in range(3):
        with channels.channel(0.0, spare=True):
            with pytest.raises(ChannelsInUse, match="the spare channel"):
                channels.take(0.0, spare=True)
            with pytest.raises(ChannelsInUse, match=f"each of the {MAX_CHANNELS}"):
                channels.take(0.0)


class _Busy:
    """A host on which only the spare channel is free, or not even that."""

    name = "host2"

    def __init__(self, channels: Channels) -> None:
        self.channels = channels

    def run(self, command: str, *, timeout: float, spare: bool = False) -> Completed:
        with self.channels.channel(0.0, spare=spare):
            return Completed("host2", command, 0, "", "", seconds=0.0)


def test_a_host_without_a_free_channel_is_not_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    channels = busy_channels(monkeypatch)
    found = facts.observe(_Busy(channels), frozenset())  # type: ignore[arg-type]
    assert (found.unreachable, found.complete) == ("", True)
    channels.take(0.0, spare=True)
    found = facts.observe(_Busy(channels), frozenset())  # type: ignore[arg-type]
    assert (found.unreachable, found.complete, found.asked) == ("", False, False)
    monkeypatch.setattr(channels, "channel", _refuse)
    found = facts.observe(_Busy(channels), frozenset())  # type: ignore[arg-type]
    assert (found.unreachable, found.complete, found.asked) == ("", False, True)


def _refuse(timeout: float, *, spare: bool) -> None:
    raise SessionRefused("host2", "its sshd refuses another session")


def test_a_shell_hands_on_what_the_engine_printed_as_it_is() -> None:
    """Some shells' echo expands the line breaks that JSON writes as two characters, and it is no JSON then."""
    said = '{"LocalNodeState": "active", "Error": "one\\\\nand another"}'
    script = f"{facts._PART}part engine true\npart swarm printf '%s' {shlex.quote(said)}"
    printed = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
    assert parse("host1", printed).swarm["Error"] == "one\\nand another"


def test_nothing_follows_from_a_place_in_the_swarm_that_is_not_understood() -> None:
    found = parse("host1", "== clusterlab: engine 0\n\n== clusterlab: swarm 0\n{broken")
    assert not found.complete
