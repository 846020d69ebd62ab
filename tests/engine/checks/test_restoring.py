"""What actions of a check changed is as it was when the check ends: held, failed, or interrupted."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from clusterlab.checks import run_checks
from clusterlab.checks.place import Place
from clusterlab.checks.places import Places
from clusterlab.checks.spec import image_on, wanted
from clusterlab.model.playbook import Container
from clusterlab.plan.apply import apply
from clusterlab.plan.clean import clean
from clusterlab.progress import Silent
from clusterlab.resources.container_actions import create_container
from clusterlab.results import Outcome, Result
from tests.support.check_cases import Rig, load_case, told

pytestmark = pytest.mark.engine

STOP = {"do": {"stop": "web"}}
START = {"do": {"start": "web"}}
OPEN = {"port": {"on": "host2", "to": "host1", "port": 80}}
PAGE_OF_WEB = {"http": {"on": "host2", "url": "http://host1:8080/"}, "within": "20s"}
PAGE = {"title": "the page", "http": {"on": "host2", "url": "http://host1/"}}


def play(*checks: dict[str, Any]) -> dict[str, Any]:
    web = {"host": "host1", "image": "web", "network_mode": "host"}
    return {"play": {"title": "restoring", "containers": {"web": web}, "checks": list(checks)}}


def is_running(rig: Rig) -> bool:
    return bool(rig.hosts["host1"].docker.inspect_container("web")["State"]["Running"])


def ask(rig: Rig, tmp_path: Path, *checks: dict[str, Any]) -> list[Result]:
    lab = load_case(play(*checks), rig.inventory, tmp_path)
    with rig.made(lab):
        results = run_checks(lab, rig.hosts, rig.unsupported, lambda result: None, Silent())
        assert is_running(rig)
    return results


def test_a_stopped_container_runs_again_after_a_failed_step(rig: Rig, tmp_path: Path) -> None:
    stopped = {"title": "stops and fails", "steps": [STOP, OPEN, START]}
    (result,) = ask(rig, tmp_path, stopped)
    assert result.outcome is Outcome.FAIL
    assert [item.holds for item in result.evidence] == [True, False]  # the step after the failed one is not taken


def test_a_stopped_container_runs_again_at_the_end(rig: Rig, tmp_path: Path) -> None:
    closed = {"port": {**OPEN["port"], "open": False, "control": {"port": 22}}}
    ends_stopped = {"title": "ends stopped", "steps": [STOP, closed]}
    nginx = {"title": "it listens again", "within": "10s", **OPEN}
    first, second = ask(rig, tmp_path, ends_stopped, nginx)
    assert first.outcome is Outcome.PASS
    assert second.outcome is Outcome.PASS


def test_checks_about_what_is_stopped_wait_for_their_turn(rig: Rig, tmp_path: Path) -> None:
    """Each waits for the ones before it; if they ran side by side, the page would be missing for some."""
    steps = {"title": "stops and starts", "steps": [STOP, START, {**OPEN, "within": "10s"}]}
    again = {**steps, "title": "once more"}
    results = ask(rig, tmp_path, {**PAGE, "within": "10s"}, steps, {**PAGE, "title": "the page again"}, again)
    assert [result.outcome for result in results] == [Outcome.PASS] * 4


def test_an_interrupt_puts_back(rig: Rig, tmp_path: Path) -> None:
    waits = {"title": "waits forever", "steps": [STOP, {**OPEN, "within": "10m"}]}
    lab = load_case(play({"title": "ends", "command": {"on": "gw", "run": "id"}}, waits), rig.inventory, tmp_path)
    results: list[Result] = []
    with rig.made(lab):
        began = time.monotonic()
        interrupt = Timer(3.0, os.kill, (os.getpid(), signal.SIGINT))
        interrupt.start()
        with pytest.raises(KeyboardInterrupt):
            run_checks(lab, rig.hosts, rig.unsupported, results.append, Silent())
        assert time.monotonic() - began < 30
        assert is_running(rig)
        assert [(result.check, result.outcome) for result in results] == [("ends", Outcome.PASS)]
        interrupt.join()


def test_a_container_that_cannot_be_put_back_is_an_error(rig: Rig, tmp_path: Path) -> None:
    vanishes = {
        "title": "vanishes",
        "steps": [STOP, {"command": {"on": "host1", "run": "docker rm web"}}],
    }
    lab = load_case(play(vanishes), rig.inventory, tmp_path)
    with rig.made(lab):
        (result,) = run_checks(lab, rig.hosts, rig.unsupported, lambda result: None, Silent())
    assert result.outcome is Outcome.ERROR
    assert "there is no container web on host1" in result.evidence[-1].found
    assert result.evidence[-1].wanted == "web on host1 is started again"


def test_what_actions_leave_is_what_apply_makes(rig: Rig, tmp_path: Path) -> None:
    """A recreated container, and one restored to its network, differ in nothing from what the play wants."""
    case = {
        "play": {
            "title": "leaving no trace",
            "networks": {"yard": {"hosts": "host1"}, "court": {"hosts": "host1"}},
            "containers": {
                "web": {
                    "host": "host1",
                    "image": "web",
                    "networks": {"yard": {"aliases": ["front"]}, "court": {}},
                    "ports": ["8080:80"],
                    "volumes": ["/data"],
                    "restart": "unless-stopped",
                },
            },
            "checks": [
                {"title": "recreated", "steps": [{"do": {"recreate": "web"}}, PAGE_OF_WEB]},
                {
                    "title": "off and on",
                    "steps": [
                        {"do": {"disconnect": {"container": "web", "network": "yard"}}},
                        {"do": {"connect": {"container": "web", "network": "bridge"}}},
                        {"do": {"kill": "web"}},
                        {"command": {"on": "host1", "run": "id"}},
                    ],
                },
            ],
        }
    }
    lab = load_case(case, rig.inventory, tmp_path)
    with rig.made(lab):
        before = rig.hosts["host1"].docker.inspect_container("web")
        results = run_checks(lab, rig.hosts, rig.unsupported, lambda result: None, Silent())
        assert [result.outcome for result in results] == [Outcome.PASS] * 2, "\n".join(map(told, results))
        after = rig.hosts["host1"].docker.inspect_container("web")
        assert after["Id"] != before["Id"]
        assert {key: after["Config"][key] for key in before["Config"] if key != "Hostname"} == {
            key: value for key, value in before["Config"].items() if key != "Hostname"
        }
        assert after["HostConfig"] == before["HostConfig"]
        assert apply(lab, rig.hosts) == []


def test_an_interrupt_removes_what_runs(rig: Rig, tmp_path: Path) -> None:
    endless = {"on": "host1", "image": "web", "command": ["sleep", "600"], "timeout": "10m"}
    lab = load_case(play({"title": "runs for long", "run": endless}), rig.inventory, tmp_path)
    with rig.made(lab):
        interrupt = Timer(3.0, os.kill, (os.getpid(), signal.SIGINT))
        interrupt.start()
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            run_checks(lab, rig.hosts, rig.unsupported, lambda result: None, Silent())
        assert time.monotonic() - began < 30
        assert not rig.hosts["host1"].docker.containers(all=True, filters={"name": "clusterlab-run"})
        interrupt.join()


def test_what_a_killed_run_left_is_found_by_its_label(rig: Rig, tmp_path: Path) -> None:
    """Killed -9 in the middle, clusterlab could not remove it; the next apply and clean do."""
    lab = load_case(play(PAGE), rig.inventory, tmp_path)
    with rig.made(lab):
        places = Places(lab, next(iter(lab.plays.values())), rig.hosts)
        container = Container.model_validate({"host": "host1", "image": "web", "command": ["sleep", "600"]})
        spec = wanted(places, "clusterlab-run-killed", container, image_on(places, Place("host1"), "web"))
        create_container(rig.hosts["host1"], spec)
        assert [(str(change.key), change.action) for change in apply(lab, rig.hosts)] == [
            ("host1: container clusterlab-run-killed", "remove")
        ]
        assert "host1: container clusterlab-run-killed" in [str(change.key) for change in clean(lab.name, rig.hosts)]
