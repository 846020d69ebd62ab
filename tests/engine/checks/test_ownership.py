"""No action of a check changes a container, service or node that others depend on."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clusterlab.checks import run_checks
from clusterlab.model.lab import Lab
from clusterlab.progress import Silent
from clusterlab.resources.base import LABEL_LAB
from clusterlab.results import Outcome, Result
from tests.support.check_cases import Rig, load_case, told

pytestmark = pytest.mark.engine

SLEEPS = ["sleep", "infinity"]
UP = {"command": {"on": "host1", "run": "id"}}


def lab_of(rig: Rig, folder: Path, *actions: dict[str, Any], **more: Any) -> Lab:
    """A play with a container, a service and a check for each action; steps may come in place of an action."""
    checks = [
        {"title": str(number), "steps": action.get("steps", [{"do": action}, UP])}
        for number, action in enumerate(actions)
    ]
    play: dict[str, Any] = {
        "title": "ownership",
        "networks": {"yard": {"hosts": "host1"}, "court": {"hosts": "host1"}},
        "containers": {"web": {"host": "host1", "image": "shell", "command": SLEEPS, "networks": ["yard"]}},
        "services": {"hello": {"image": "shell", "command": SLEEPS, "deploy": {"replicas": 2}}},
        "checks": checks,
        **more,
    }
    return load_case({"play": play}, rig.inventory, folder)


def check(rig: Rig, lab: Lab) -> list[Result]:
    return run_checks(lab, rig.hosts, rig.unsupported, lambda result: None, Silent())


def refused(results: list[Result], message: str) -> None:
    for result in results:
        assert result.outcome is Outcome.ERROR, told(result)
        assert message in result.evidence[-1].found, told(result)


def run(rig: Rig, command: str, host: str = "host1") -> str:
    return rig.hosts[host].run(command, check=True).stdout.strip()


def image(rig: Rig) -> str:
    return str(rig.hosts["host1"].docker.inspect_container("web")["Config"]["Image"])


@contextmanager
def foreign_container(rig: Rig) -> Iterator[None]:
    """In place of the play's container, one that somebody else created, with data in a volume without a name."""
    run(
        rig,
        f"docker rm -f web && docker network create theirs && "
        f"docker run --detach --name web --volume /data --network theirs {shlex.quote(image(rig))} sleep infinity && "
        "docker exec web sh -c 'echo precious > /data/file'",
    )
    try:
        yield
    finally:
        run(rig, "docker rm -fv web; docker network rm theirs")


def state(rig: Rig) -> Mapping[str, Any]:
    found = rig.hosts["host1"].docker.inspect_container("web")
    networks = sorted(found["NetworkSettings"]["Networks"])
    return {"id": found["Id"], "state": found["State"], "networks": networks, "mounts": found["Mounts"]}


def test_no_action_touches_a_container_that_others_created(rig: Rig, tmp_path: Path) -> None:
    actions: list[dict[str, Any]] = [{name: "web"} for name in ("stop", "start", "restart", "kill", "recreate")]
    actions += [{"connect": {"container": "web", "network": "court"}}]
    actions += [{"disconnect": {"container": "web", "network": "yard"}}]
    lab = lab_of(rig, tmp_path, *actions)
    with rig.made(lab), foreign_container(rig):
        before = state(rig)
        results = check(rig, lab)
        assert state(rig) == before
        assert run(rig, "docker exec web cat /data/file") == "precious"
    refused(results, "container web was not created by clusterlab")


def test_a_container_is_not_connected_to_a_network_that_others_created(rig: Rig, tmp_path: Path) -> None:
    lab = lab_of(rig, tmp_path, {"connect": {"container": "web", "network": "court"}})
    with rig.made(lab):
        run(rig, "docker network rm court && docker network create court")
        try:
            results = check(rig, lab)
            assert not rig.hosts["host1"].docker.inspect_network("court")["Containers"]
        finally:
            run(rig, "docker network rm court")
    refused(results, "network court was not created by clusterlab")


def test_restoring_leaves_a_container_alone_that_took_the_name(rig: Rig, tmp_path: Path) -> None:
    """While a check runs, somebody creates another container of the name and stops it."""
    command = "docker rm -f web && docker create --name web --volume /data IMAGE sleep infinity"
    steps = [{"do": {"stop": "web"}}, {"command": {"on": "host1", "run": command}}]
    lab = lab_of(rig, tmp_path, {"steps": steps})
    with rig.made(lab):
        steps[1]["command"]["run"] = command.replace("IMAGE", image(rig))
        lab = lab_of(rig, tmp_path, {"steps": steps})
        try:
            (result,) = check(rig, lab)
            assert state(rig)["state"]["Status"] == "created"
        finally:
            run(rig, "docker rm -fv web")
    refused([result], "container web was not created by clusterlab")


CREATE = "docker service create --detach --quiet --name hello --replicas 2 {image} sleep infinity"


@contextmanager
def foreign_service(rig: Rig, name: str) -> Iterator[None]:
    """A service that somebody else created, in place of the play's own when it has its name."""
    create = CREATE.format(image=shlex.quote(image(rig))).replace("hello", name)
    run(rig, f"docker service rm {name}; {create}")
    wait = (
        f"timeout 60 sh -c 'until [ $(docker service ps -q -f desired-state=running {name} | wc -l) = 2 ]; do :; done'"
    )
    run(rig, wait)
    try:
        yield
    finally:
        run(rig, f"docker service rm {name}")


def service(rig: Rig, name: str) -> tuple[object, ...]:
    found = rig.hosts["host1"].docker.inspect_service(name)  # type: ignore[no-untyped-call]
    return found["ID"], found["Spec"]


def test_no_action_touches_a_service_that_others_created(rig: Rig, tmp_path: Path) -> None:
    actions: list[dict[str, Any]] = [{"scale": {"service": "hello", "replicas": 0}}, {"kill": {"service": "hello"}}]
    lab = lab_of(rig, tmp_path, *actions)
    with rig.made(lab), foreign_service(rig, "hello"):
        before = service(rig, "hello")
        tasks = run(rig, "docker service ps -q hello")
        results = check(rig, lab)
        assert service(rig, "hello") == before
        assert run(rig, "docker service ps -q hello") == tasks
    refused(results, "service hello was not created by clusterlab")


def availability(rig: Rig, host: str) -> str:
    return run(rig, f"docker node inspect --format '{{{{.Spec.Availability}}}}' {host}")


def test_no_node_is_drained_where_tasks_of_others_run(rig: Rig, tmp_path: Path) -> None:
    steps = [{"do": {"drain": "host2"}}, {"inspect": {"node": "host2", "path": "Spec.Availability", "value": "drain"}}]
    lab = lab_of(rig, tmp_path, {"steps": steps})
    with rig.made(lab), foreign_service(rig, "theirs"):
        before = service(rig, "theirs")
        tasks = run(rig, "docker service ps -q theirs")
        results = check(rig, lab)
        assert availability(rig, "host2") == "active"
        assert service(rig, "theirs") == before
        assert run(rig, "docker service ps -q theirs") == tasks
    refused(results, "tasks of theirs are on it, which clusterlab did not create")


@contextmanager
def swarm_of_others(rig: Rig) -> Iterator[None]:
    """The same Swarm without the label that says which lab it was initialised for."""
    engine = rig.hosts["host1"].docker

    def label(labels: dict[str, str]) -> None:
        found = engine.inspect_swarm()
        engine.update_swarm(version=found["Version"]["Index"], swarm_spec={**found["Spec"], "Labels": labels})

    before = engine.inspect_swarm()["Spec"]["Labels"]
    assert LABEL_LAB in before
    label({})
    try:
        yield
    finally:
        label(before)


def test_a_swarm_of_others_is_drained_only_when_that_is_allowed(rig: Rig, tmp_path: Path) -> None:
    lab = lab_of(rig, tmp_path, {"drain": "host2"})
    allowed = replace(lab, inventory=lab.inventory.model_copy(update={"allow_actions": True}))
    with rig.made(lab), swarm_of_others(rig):
        refused(check(rig, lab), "the Swarm was not initialised by clusterlab")
        (result,) = check(rig, allowed)
        assert result.outcome is Outcome.PASS, told(result)
        assert availability(rig, "host2") == "active"


def test_restoring_updates_no_service_that_took_the_name(rig: Rig, tmp_path: Path) -> None:
    """While a node is drained, somebody replaces the play's service by another one of its name."""
    steps: list[dict[str, Any]] = [{"do": {"drain": "host2"}}, {"command": {"on": "host1", "run": "true; false"}}]
    lab = lab_of(rig, tmp_path, {"steps": steps})
    with rig.made(lab):
        create = CREATE.format(image=shlex.quote(image(rig)))
        steps[1]["command"]["run"] = f"docker service rm hello && {create}"
        lab = lab_of(rig, tmp_path, {"steps": steps})
        try:
            (result,) = check(rig, lab)
            spec = service(rig, "hello")[1]
            assert isinstance(spec, dict)
            assert "ForceUpdate" not in spec["TaskTemplate"] or spec["TaskTemplate"]["ForceUpdate"] == 0
        finally:
            run(rig, "docker service rm hello")
    assert result.outcome is Outcome.ERROR, told(result)
    assert result.evidence[-1].wanted == "service hello is restored"
    assert availability(rig, "host2") == "active"


DIES = ["sh", "-c", "test ! -e /started || { echo cannot go on; exit 3; }; touch /started; sleep infinity"]


@pytest.mark.parametrize("action", ["restart", "start"])
def test_a_container_that_ends_right_after_its_start_is_a_failure(rig: Rig, tmp_path: Path, action: str) -> None:
    dies = {"web": {"host": "host1", "image": "shell", "command": DIES}}
    stopped = [{"do": {"stop": "web"}}] if action == "start" else []
    lab = lab_of(rig, tmp_path, {"steps": [*stopped, UP, {"do": {action: "web"}}]}, containers=dies)
    with rig.made(lab):
        (result,) = check(rig, lab)
    step = next(item for item in result.evidence if not item.holds)
    assert result.outcome in (Outcome.FAIL, Outcome.ERROR), told(result)
    assert "ended right after its start: exited, exit code 3" in step.found
    assert "cannot go on" in step.output


def test_a_container_that_ends_right_after_it_was_restored_is_an_error(rig: Rig, tmp_path: Path) -> None:
    dies = {"web": {"host": "host1", "image": "shell", "command": DIES}}
    lab = lab_of(rig, tmp_path, {"stop": "web"}, containers=dies)
    with rig.made(lab):
        (result,) = check(rig, lab)
    assert result.outcome is Outcome.ERROR, told(result)
    assert "ended right after its start" in result.evidence[-1].found
    assert result.evidence[-1].wanted == "web on host1 is started again"


def test_on_existing_machines_actions_need_permission(rig: Rig, tmp_path: Path) -> None:
    lab = lab_of(rig, tmp_path, {"restart": "web"}, {"steps": [UP]})
    existing = replace(lab, inventory=lab.inventory.model_copy(update={"machines": "existing"}))
    allowed = replace(lab, inventory=existing.inventory.model_copy(update={"allow_actions": True}))
    with rig.made(lab):
        before = state(rig)["state"]["StartedAt"]
        acts, looks = check(rig, existing)
        assert state(rig)["state"]["StartedAt"] == before
        assert (acts.outcome, looks.outcome) == (Outcome.BLOCKED, Outcome.PASS)
        assert acts.cause is not None
        assert acts.cause.code == "actions-not-allowed"
        assert "allow_actions: true" in acts.cause.remedy
        assert [result.outcome for result in check(rig, allowed)] == [Outcome.PASS] * 2
        assert state(rig)["state"]["StartedAt"] != before
