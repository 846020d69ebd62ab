"""Which checks may run side by side, and which machines cannot carry out which."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from threading import Event, Timer
from typing import Any

import pytest

from clusterlab.capabilities import Capabilities
from clusterlab.checks.places import Places
from clusterlab.checks.runner import Job, _end, _schedule, next_job
from clusterlab.checks.subjects import Subjects, subjects
from clusterlab.checks.unsupported import unmet_need, unsupported
from clusterlab.model.inventory import Inventory
from clusterlab.model.lab import Lab
from clusterlab.model.playbook import Play
from clusterlab.remote import Hosts
from clusterlab.results import Outcome, Result

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


def jobs(*checks: dict[str, Any]) -> list[Job]:
    play = Play.model_validate(
        {
            "title": "scheduling",
            "volumes": {"share": {"driver_opts": {"type": "nfs", "o": "addr=192.168.98.1", "device": ":/shares"}}},
            "containers": {
                "web": {"host": "host1", "image": "web", "network_mode": "host"},
                "app": {"host": "host1", "image": "shell", "volumes": ["share:/data"]},
                "helper": {"host": "host2", "image": "shell", "volumes_from": ["app"]},
                "other": {"host": "host2", "image": "shell"},
            },
            "checks": [{"title": str(number), **check} for number, check in enumerate(checks)],
        }
    )
    places = Places(LAB, play, Hosts({}))
    return [Job("play", check, places, subjects(check, places)) for check in play.checks]


ACTION = {"steps": [{"do": {"stop": "web"}}, {"port": {"on": "host2", "to": "host1", "port": 22}}]}


@pytest.mark.parametrize(
    "check",
    [
        {"command": {"in": "web", "run": "id"}},
        {"ping": {"in": "other", "to": "web"}},
        {"http": {"on": "gw", "url": "http://web:80/"}},
        {"http": {"on": "gw", "url": "http://192.168.98.11/"}},
        {"http": {"on": "gw", "url": "http://host1/x?y=z"}},
        {"command": {"on": "gw", "run": "curl -s 'http://192.168.98.11:80'"}},
        {"command": {"on": "docker", "run": "ss -ltn"}},
        {"command": {"on": "all", "run": "ss -ltn"}},
        {"inspect": {"network": "host", "path": "Containers.*.Name", "value": {"contains": "web"}}},
        {"dns": {"in": "other", "name": "x", "is": {"container": "web", "network": "n"}}},
        ACTION,
    ],
)
def test_what_an_action_changes_is_asked_before_or_after(check: dict[str, Any]) -> None:
    one, two = jobs(ACTION, check)
    assert one.subjects.conflicts(two.subjects)
    assert two.subjects.conflicts(one.subjects)
    assert next_job([one, two], []) is one
    assert next_job([two], [one]) is None


@pytest.mark.parametrize(
    "key",
    [
        {"environment": {"TARGET": "http://web:80/"}},
        {"environment": {"web": "a name"}},
        {"networks": {"yard": {"aliases": ["web"]}}},
    ],
)
def test_what_stands_deep_in_a_probe_is_found(key: dict[str, Any]) -> None:
    one, two = jobs(ACTION, {"run": {"on": "host2", "image": "shell", **key}})
    assert one.subjects.conflicts(two.subjects)


@pytest.mark.parametrize(
    "check",
    [
        {"command": {"in": "other", "run": "id"}},
        {"command": {"in": "app", "run": "id"}},
        {"command": {"on": "gw", "run": "curl http://192.168.98.110/ website"}},
    ],
)
def test_what_an_action_does_not_touch_runs_beside_it(check: dict[str, Any]) -> None:
    one, two = jobs(ACTION, check)
    assert not one.subjects.conflicts(two.subjects)
    assert next_job([two], [one]) is two


def test_checks_that_change_nothing_never_wait() -> None:
    same = {"command": {"in": "web", "run": "id"}}
    one, two = jobs(same, same)
    assert next_job([two], [one]) is two


def test_conflicting_checks_keep_their_order() -> None:
    before, action, after, free = jobs(
        {"command": {"in": "web", "run": "id"}},
        ACTION,
        {"command": {"in": "web", "run": "id"}},
        {"command": {"in": "other", "run": "id"}},
    )
    assert next_job([action, after, free], [before]) is free  # `after` may not overtake the action
    assert next_job([after], [action]) is None
    assert next_job([after], []) is after


def test_subjects_are_found_in_roles_names_and_addresses() -> None:
    (job,) = jobs({"ping": {"on": "docker", "to": "192.168.98.1"}})
    hosts = frozenset({"gw", "host1", "host2"})
    assert replace(job.subjects, within=frozenset()) == Subjects(hosts, frozenset(), frozenset())


LACKS = Capabilities.missing_everywhere(LAB.inventory.hosts, {"nfs": "no kernel module"})


def why(job: Job, lacks: Capabilities) -> str:
    need = unmet_need(job.check, job.places.lab, job.places.play, job.subjects, lacks)
    return unsupported(need, job.play, job.check, lacks).hint if need else ""


@pytest.mark.parametrize(
    ("check", "reason"),
    [
        ({"command": {"on": "gw", "run": "id"}, "needs": ["nfs"]}, "needs nfs, which gw lacks: no kernel module"),
        ({"command": {"in": "app", "run": "id"}}, "volume share of container app needs nfs, which host1 lacks: no"),
        ({"ping": {"in": "other", "to": "helper"}}, "volume share of container helper needs nfs, which host2 lacks"),
        ({"inspect": {"volume": "share", "path": "Name", "value": "share"}}, "volume share needs nfs"),
        ({"command": {"in": "other", "run": "id"}}, ""),
        ({"command": {"on": "gw", "run": "id"}, "needs": ["ipvs"]}, ""),
    ],
)
def test_unsupported_says_why(check: dict[str, Any], reason: str) -> None:
    (job,) = jobs(check)
    found = why(job, LACKS)
    assert found.startswith(reason)
    assert bool(found) is bool(reason)


def test_what_is_seen_from_nowhere_changes_its_host_for_its_own_play_alone() -> None:
    quiet = {"steps": [{"do": {"recreate": "other"}}, {"command": {"in": "other", "run": "id"}}]}
    asks_host = {"command": {"on": "host2", "run": "ls /var/lib/docker/volumes"}}
    acts, asks = jobs(quiet, asks_host)
    assert acts.subjects.conflicts(asks.subjects)
    elsewhere = replace(asks.subjects, within=frozenset({"host2 in another"}))
    assert not acts.subjects.conflicts(elsewhere)
    loud, asks_loud = jobs(ACTION, {"command": {"on": "host1", "run": "ss -ltn"}})
    assert loud.subjects.conflicts(replace(asks_loud.subjects, within=frozenset({"host1 in another"})))


def test_a_run_needs_what_its_volumes_need() -> None:
    run = {"run": {"on": "host1", "image": "shell", "volumes": ["share:/data"]}}
    without, with_share = jobs({"run": {"on": "host1", "image": "shell"}}, run)
    lacks = Capabilities({"host1": {"nfs": "no module"}})
    assert why(with_share, lacks) == "volume share needs nfs, which host1 lacks: no module"
    assert why(without, lacks) == ""


@pytest.mark.parametrize(
    ("check", "concerns"),
    [
        ({"command": {"in": "app", "run": "id"}}, {"host1", "gw"}),
        ({"command": {"in": "helper", "run": "id"}}, {"host2", "gw"}),
        ({"inspect": {"volume": "share", "on": "host2", "path": "Name", "value": "share"}}, {"host2", "gw"}),
        ({"inspect": {"volume": "share", "path": "Name", "value": "share"}}, {"host1", "host2", "gw"}),
        ({"command": {"in": "other", "run": "id"}, "needs": ["nfs"]}, {"host2"}),
        ({"command": {"on": "gw", "run": "showmount -e"}, "needs": ["nfs"]}, {"gw"}),
        ({"http": {"on": "gw", "url": "http://host1/"}, "needs": ["ipvs"]}, {"host1"}),
        ({"command": {"on": "all", "run": "id"}}, set()),
    ],
)
def test_only_hosts_that_a_check_concerns_make_it_unsupported(check: dict[str, Any], concerns: set[str]) -> None:
    (job,) = jobs(check)
    lacks = {"nfs": "no module", "ipvs": "no module"}
    assert {host for host in LAB.inventory.hosts if why(job, Capabilities({host: lacks}))} == concerns


def swarm_jobs(*checks: dict[str, Any]) -> list[Job]:
    play = Play.model_validate(
        {
            "title": "swarm",
            "networks": {"sealed": {"driver": "overlay", "attachable": True, "driver_opts": {"encrypted": ""}}},
            "services": {"hello": {"image": "web", "ports": ["8090:80"]}, "other": {"image": "web"}},
            "containers": {"app": {"host": "host1", "image": "shell", "networks": ["sealed"]}},
            "checks": [{"title": str(number), **check} for number, check in enumerate(checks)],
        }
    )
    places = Places(replace(LAB, plays={"play": play}), play, Hosts({}))
    return [Job("play", check, places, subjects(check, places)) for check in play.checks]


SCALE = {"steps": [{"do": {"scale": {"service": "hello", "replicas": 1}}}, {"ping": {"on": "host2", "to": "gw"}}]}
DRAIN = {"steps": [{"do": {"drain": "host2"}}, {"ping": {"on": "gw", "to": "host1"}}]}


@pytest.mark.parametrize(
    "check",
    [
        {"inspect": {"tasks": "hello", "path": "*.Node", "value": ["host1"]}},
        {"dns": {"on": "host1", "name": "tasks.hello", "addresses": {"lines": 2}}},
        {"http": {"on": "gw", "url": "http://192.168.98.11:8090/"}},
        {"port": {"on": "gw", "to": "host1", "port": 8090}},
        SCALE,
        DRAIN,
    ],
)
def test_checks_about_a_service_wait_while_it_is_changed(check: dict[str, Any]) -> None:
    scales, asks = swarm_jobs(SCALE, check)
    assert next_job([asks], [scales]) is None
    assert next_job([scales], [asks]) is None


def test_checks_about_another_service_do_not_wait() -> None:
    scales, asks = swarm_jobs(SCALE, {"inspect": {"tasks": "other", "path": "*.Node", "value": ["host1"]}})
    assert next_job([asks], [scales]) is asks


def test_a_drained_host_changes_every_service_and_what_its_play_asks_of_it() -> None:
    drains, asks, node = swarm_jobs(
        DRAIN,
        {"inspect": {"tasks": "other", "path": "*.Node", "value": ["host1"]}},
        {"inspect": {"node": "host2", "path": "Spec.Availability", "value": "active"}},
    )
    assert next_job([asks], [drains]) is None
    assert next_job([node], [drains]) is None


@pytest.mark.parametrize(
    "check",
    [
        {"ping": {"in": "app", "to": "gw"}},
        {"inspect": {"network": "sealed", "path": "Driver", "value": "overlay"}},
        {"run": {"on": "host1", "image": "shell", "command": ["true"], "networks": ["sealed"]}},
    ],
)
def test_without_ipsec_what_needs_an_encrypted_network_is_unsupported(check: dict[str, Any]) -> None:
    (job,) = swarm_jobs(check)
    assert "xfrm, which host1 lacks: no ESP" in why(job, Capabilities({"host1": {"xfrm": "no ESP"}}))
    assert why(job, Capabilities({"host1": {"nfs": "none"}})) == ""


def test_an_interrupt_while_a_result_is_told_does_not_lose_it() -> None:
    """It may come between any two instructions: what is not known to be told is still under way, and told again."""
    (job,) = jobs({"command": {"on": "host1", "run": "ls /a"}})
    running: dict[Future[Result], Job] = {}

    def interrupted(job: Job, result: Result) -> None:
        raise KeyboardInterrupt

    with ThreadPoolExecutor(1) as pool, pytest.raises(KeyboardInterrupt):
        _schedule([job], lambda job: Result("p", "a", "command", Outcome.PASS, 1), interrupted, pool, running)
    ((future, left),) = running.items()
    assert left is job
    assert future.result().outcome is Outcome.PASS


def test_after_an_interrupt_nobody_waits_for_what_had_not_begun() -> None:
    """A check that was to begin at that moment is cancelled: `wait` would take it for unfinished until its limit."""
    first, second = jobs({"command": {"on": "host1", "run": "ls /a"}}, {"command": {"on": "host1", "run": "ls /b"}})
    may_end = Event()
    pool = ThreadPoolExecutor(1)

    def run(job: Job) -> Result:
        may_end.wait(60)
        return Result("p", job.check.title, "command", Outcome.PASS, 1)

    running = {pool.submit(run, job): job for job in (first, second)}
    Timer(0.1, may_end.set).start()
    began = time.monotonic()
    left = _end(pool, running, 60)
    assert time.monotonic() - began < 30
    assert [(job is first, future.result().outcome) for future, job in left.items()] == [(True, Outcome.PASS)]
