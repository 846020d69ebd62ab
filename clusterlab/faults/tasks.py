"""The faults `freeze_task` and `kill_task`: a task of a service hangs, or ends."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from pydantic import Field

from clusterlab.docker_labels import SERVICE
from clusterlab.model.faults import FaultParameters, Running, Target
from clusterlab.resources import swarm_tasks
from clusterlab.resources.swarm_handle import find_service

from .errors import NoEffect
from .kind import NOTHING, Before, FaultKind, OnHost, Seen
from .scene import Scene

_FOLDER = "/run/clusterlab/faults/FAULT_ID"


class TaskParameters(FaultParameters):
    """Which task it is."""

    service: str = Field(min_length=1, description="a service, by its name in the Swarm")
    host: Target | None = Field(default=None, description="the host whose task it is (default: the first with one)")

    @property
    def at(self) -> str:
        """The host, once it is fixed."""
        return str(self.host)

    def listed(self, status: str) -> str:
        """The command that lists the service's containers on a host that have a status."""
        label = quote(f"label={SERVICE}={self.service}")
        return f"docker ps --all --quiet --no-trunc --filter {label} --filter status={status}"


class _Task(FaultKind[TaskParameters]):
    """A fault of one task's container on one host; the host remembers which."""

    model = TaskParameters
    inject: str
    heal = ":"

    def services(self, params: TaskParameters) -> Iterator[str]:
        yield params.service
        yield from super().services(params)

    def breaks(self, params: TaskParameters) -> Iterator[str]:
        yield params.service

    def fixed(self, params: TaskParameters, scene: Scene) -> TaskParameters:
        host = params.host if params.host is not None else Running(runs=params.service)
        return params.model_copy(update={"host": scene.one(host)})

    def theirs(self, params: TaskParameters, scene: Scene) -> str:
        lab = scene.lab.name
        if find_service(scene.manager, lab, params.service).ours:
            return ""
        return f"the service {params.service} was not created by clusterlab for the lab {lab}"

    def parts(self, params: TaskParameters, scene: Scene) -> list[OnHost]:
        inject = f"""id=$({params.listed("running")} | head -n 1)
[ -n "$id" ] || {{ echo {quote(f"no task of {params.service} runs there")} >&2; exit {NOTHING}; }}
echo "$id" >{_FOLDER}/container
{self.inject} "$id" >/dev/null"""
        return [OnHost(params.at, inject, self.heal)]

    def before(self, params: TaskParameters, scene: Scene) -> Before:
        tasks = self._tasks(params, scene)
        if params.at not in tasks:
            raise NoEffect(f"{self.name}: no task of {params.service} runs on {params.at}")
        return {"tasks": str(len(tasks))}

    def state(self, params: TaskParameters, scene: Scene, before: Before) -> str:
        """How the container is, in the engine's words.

        "removed" when it no longer exists.
        """
        file = f"{_FOLDER.replace('FAULT_ID', before['id'])}/container"
        inspect = "docker inspect --type container --format '{{.State.Status}}'"
        return scene.said(params.at, f'{inspect} "$(cat {file})" 2>/dev/null || echo removed').split()[-1]

    def gone(self, params: TaskParameters, scene: Scene, before: Before) -> Seen:
        if scene.said(params.at, params.listed("paused")):
            return Seen(False, f"a task of {params.service} on {params.at} is paused")
        count, then = len(self._tasks(params, scene)), int(before["tasks"])
        return Seen(count >= then, f"{count} tasks of {params.service} run, and {then} did")

    def _tasks(self, params: TaskParameters, scene: Scene) -> list[str]:
        """The host of each running task of the service."""
        tasks = swarm_tasks.running_tasks(scene.manager, params.service, scene.lab.inventory)
        return [task["Node"] for task in tasks]


class FreezeTask(_Task):
    """Stops the processes of a task where they stand, as a deadlock does.

    Without a healthcheck nobody notices: one of so many requests times out, for as long as it lasts.
    """

    name = "freeze_task"
    inject = "docker pause"
    heal = f"""id=$(cat {_FOLDER}/container 2>/dev/null)
state=$([ -z "$id" ] || docker inspect --type container --format '{{{{.State.Status}}}}' "$id" 2>/dev/null)
[ "$state" != paused ] || docker unpause "$id" >/dev/null"""
    heals_within = 60.0

    def effect(self, params: TaskParameters, scene: Scene, before: Before) -> Seen:
        state = self.state(params, scene, before)
        return Seen(state == "paused", f"a task of {params.service} on {params.at} is {state}")


class KillTask(_Task):
    """Kills the processes of a task, as the kernel does for lack of memory.

    The Swarm replaces it after about 5 s.
    """

    name = "kill_task"
    inject = "docker kill --signal KILL"
    heals_within = 90.0

    def effect(self, params: TaskParameters, scene: Scene, before: Before) -> Seen:
        state = self.state(params, scene, before)
        return Seen(state in ("exited", "dead", "removed"), f"a task of {params.service} on {params.at} is {state}")


FREEZE_TASK, KILL_TASK = FreezeTask(), KillTask()
