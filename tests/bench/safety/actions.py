"""Scenarios about actions of checks on what somebody else created."""

from __future__ import annotations

from typing import Any

from tests.bench.safety.scenario import CLUSTER, Seen, scenario
from tests.bench.safety.stand import SLEEPS, Stand

WEB = {"web": {"host": "host1", "image": "shell", "command": SLEEPS, "networks": ["yard"]}}
BODY: dict[str, Any] = {"networks": {"yard": {"hosts": "host1"}, "court": {"hosts": "host1"}}, "containers": WEB}
UP = {"command": {"on": "host1", "run": "test -d /etc"}}
STATE = "docker inspect --format '{{.Id}} {{.State.StartedAt}} {{.State.Status}} {{.NetworkSettings.Networks}}' web"


def step(**action: Any) -> dict[str, Any]:
    return {"title": "it acts", "steps": [{"do": action}, UP]}


def in_its_place(stand: Stand) -> None:
    """Somebody else's container with the name of the play's, with data in a volume without a name."""
    image = stand.image("web")
    stand.sh(
        "host1",
        f"docker rm --force web && docker run --detach --name web --volume /data {image} sleep infinity && "
        "docker exec web sh -c 'echo precious > /data/file'",
    )


def on_foreign_container(stand: Stand, *actions: str) -> Seen:
    steps = [{**step(**{action: "web"}), "title": action} for action in actions]
    stand.ada.play(*steps, **BODY)
    stand.ada.must("apply")
    in_its_place(stand)
    before = stand.sh("host1", STATE)
    stand.ada("check")
    data = stand.sh("host1", "docker exec web cat /data/file 2>&1 || true") == "precious"
    same = stand.sh("host1", STATE) == before
    what = "untouched" if same else "restarted" if data else "another container is there, and its data is gone"
    return Seen(not (same and data), what)


@scenario(CLUSTER, "`recreate` in a check removes a container of somebody else that has the name, with its data")
def recreate_foreign_container(stand: Stand) -> Seen:
    return on_foreign_container(stand, "recreate")


@scenario(CLUSTER, "`stop`, `kill` and `restart` in a check act on a container of somebody else that has the name")
def stop_foreign_container(stand: Stand) -> Seen:
    return on_foreign_container(stand, "stop", "kill", "restart")


@scenario(CLUSTER, "`connect` puts a container on a network of somebody else that has the name")
def connect_foreign_network(stand: Stand) -> Seen:
    stand.ada.play(step(connect={"container": "web", "network": "court"}), **BODY)
    stand.ada.must("apply")
    stand.sh("host1", "docker network rm court && docker network create court")
    _, results = stand.ada.results()
    outcome = results["it acts"]["outcome"]
    return Seen(outcome == "pass", f"the step: {outcome}")


SERVICE = {"hello": {"image": "shell", "command": SLEEPS, "deploy": {"replicas": 2}}}
RUNNING = "until [ $(docker service ps -q -f desired-state=running {0} | wc -l) = 2 ]; do sleep 0.2; done"


def foreign_service(stand: Stand, name: str) -> None:
    """A service of somebody else with two tasks."""
    image = stand.image("web")
    create = f"docker service create --detach --quiet --name {name} --replicas 2 {image} sleep infinity"
    stand.sh("host1", f"docker service rm {name}; {create}; {RUNNING.format(name)}")


def spec(stand: Stand, name: str) -> str:
    return stand.sh("host1", f"docker service inspect --format '{{{{json .Spec}}}} {{{{.ID}}}}' {name}")


def tasks(stand: Stand, name: str) -> str:
    return stand.sh("host1", f"docker service ps -q {name} | sort")


@scenario(CLUSTER, "`scale` and `kill` in a check act on a service of somebody else that has the name")
def scale_foreign_service(stand: Stand) -> Seen:
    scaled = {"title": "scaled", "steps": [{"do": {"scale": {"service": "hello", "replicas": 0}}}, UP]}
    killed = {"title": "killed", "steps": [{"do": {"kill": {"service": "hello"}}}, UP]}
    stand.ada.play(scaled, killed, **BODY, services=SERVICE)
    stand.ada.must("apply")
    foreign_service(stand, "hello")
    before = tasks(stand, "hello"), spec(stand, "hello")
    stand.ada("check")
    same = (tasks(stand, "hello"), spec(stand, "hello")) == before
    return Seen(not same, "untouched" if same else "its tasks were ended")


@scenario(CLUSTER, "`drain` in a check takes tasks of somebody else away, and restoring updates their service")
def drain_foreign_tasks(stand: Stand) -> Seen:
    stand.ada.play(step(drain="host2"), **BODY, services=SERVICE)
    stand.ada.must("apply")
    foreign_service(stand, "theirs")
    before, running = spec(stand, "theirs"), tasks(stand, "theirs")
    stand.ada("check")
    updated, moved = spec(stand, "theirs") != before, tasks(stand, "theirs") != running
    done = [text for text, happened in (("tasks ended", moved), ("service updated", updated)) if happened]
    return Seen(updated or moved, ", ".join(done) or "untouched")


@scenario(CLUSTER, "on existing machines a check restarts a container although nobody allowed actions")
def actions_without_permission(stand: Stand) -> Seen:
    stand.ada.play(step(restart="web"), **BODY)
    stand.ada.must("apply")
    before = stand.sh("host1", STATE)
    with stand.ada.having(allow_actions=False):
        _, results = stand.ada.results()
    same = stand.sh("host1", STATE) == before
    return Seen(not same, f"{'untouched' if same else 'restarted'}; the step: {results['it acts']['outcome']}")
