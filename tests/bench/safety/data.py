"""Scenarios in which data or a service would be lost."""

from __future__ import annotations

from typing import Any

from tests.bench.safety.scenario import CLUSTER, Seen, scenario
from tests.bench.safety.stand import SLEEPS, Stand

ON_HOST1 = {"placement": {"constraints": ["node.hostname == host1"]}}
STORE: dict[str, Any] = {"image": "store", "command": SLEEPS, "deploy": ON_HOST1}
"""Its image has a volume without a name."""
TASK = "docker ps -q --filter label=com.docker.swarm.service.name=store"
SERVICES = "docker service ls --format '{{.Name}}'"


def storing(stand: Stand) -> str:
    stand.ada.play(services={"store": STORE})
    stand.ada.must("apply")
    return stand.sh("host1", f'until [ "$({TASK})" ]; do sleep 0.2; done; {TASK}')


@scenario(CLUSTER, "an update of a service loses data in a volume without a name, unasked")
def service_update_loses_data(stand: Stand) -> Seen:
    task = storing(stand)
    stand.ada.play(services={"store": {**STORE, "environment": {"LEVEL": "2"}}})
    ran = stand.ada("apply")
    lost = stand.sh("host1", TASK) != task
    return Seen(lost, f"{'its task was replaced' if lost else 'its task is the same'}; exit code {ran.code}")


@scenario(CLUSTER, "the removal of a service loses data in a volume without a name, unasked")
def service_removal_loses_data(stand: Stand) -> Seen:
    storing(stand)
    stand.ada.play(volumes={"other": {"hosts": "host1"}})
    ran = stand.ada("apply")
    lost = "store" not in stand.sh("host1", SERVICES).split()
    return Seen(lost, f"the service {'was removed' if lost else 'is there'}; exit code {ran.code}")


@scenario(CLUSTER, "a service is taken away although a part of the change, on another host, is blocked")
def taken_away(stand: Stand) -> Seen:
    def play(size: str) -> None:
        options = {"type": "tmpfs", "device": "tmpfs", "o": f"size={size}"}
        service = {"image": "shell", "command": SLEEPS, "volumes": ["cache:/cache"], "deploy": {"mode": "global"}}
        containers = {"keeper": {"host": "host2", "image": "shell", "command": SLEEPS}}
        volumes = {"cache": {"driver_opts": options}}
        stand.ada.play(volumes=volumes, containers=containers, services={"web": service})

    play("1m")
    stand.ada.must("apply")
    image = stand.image("keeper", "host2")
    stand.sh("host2", f"docker run --detach --name theirs --volume cache:/cache {image} sleep infinity")
    play("2m")
    stand.ada("apply")
    gone = "web" not in stand.sh("host1", SERVICES).split()
    return Seen(gone, f"the service is {'gone' if gone else 'there'}")


@scenario(CLUSTER, "a service without tasks that no play has any longer is never found")
def service_left_over(stand: Stand) -> Seen:
    stand.ada.play(services={"idle": {"image": "shell", "command": SLEEPS, "deploy": {"replicas": 0}}})
    stand.ada.must("apply")
    stand.ada.play(volumes={"other": {"hosts": "host1"}})
    found = "idle" in stand.ada("plan").text
    return Seen(not found, f"plan {'removes it' if found else 'does not mention it'}")


@scenario(CLUSTER, "`clean` reports success although a stopped engine may have kept everything")
def clean_with_engine_stopped(stand: Stand) -> Seen:
    containers = {"kept": {"host": "host2", "image": "shell", "command": SLEEPS}}
    stand.ada.play(containers=containers)
    stand.ada.must("apply")
    stand.sh(
        "host2",
        "systemctl stop docker && mkdir -p /moved && cd /var/lib/docker && mv containers volumes /moved/ && "
        'echo \'{"data-root": "/moved"}\' > /etc/docker/daemon.json',
    )
    try:
        ran = stand.ada("clean")
    finally:
        stand.sh(
            "host2",
            "rm -f /etc/docker/daemon.json; mv /moved/containers /moved/volumes /var/lib/docker/; rm -rf /moved; "
            "systemctl start docker; until docker info >/dev/null 2>&1; do sleep 0.2; done",
        )
    there = "kept" in stand.sh("host2", "docker ps -a --format '{{.Names}}'").split()
    return Seen(ran.code == 0 and there, f"exit code {ran.code}, and the container is {'there' if there else 'gone'}")
