"""Waiting until the tasks of a service run as they should."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import Any

from clusterlab.errors import ClusterlabError, HostError
from clusterlab.remote import Host
from clusterlab.waiting import pause_after

from .compare import same
from .engine_calls import engine
from .observed import Json
from .service_drift import SPEC
from .service_modes import replicas_of

CONVERGE = 300.0
"""Seconds that a service gets until all its tasks run; an emulated machine may start dozens of containers meanwhile."""
WEIGHT = 6
"""Of a change whose tasks the Swarm starts beside the containers that clusterlab starts."""
_STATES = ("new", "pending", "assigned", "accepted", "preparing", "ready", "starting", "running")
"""What a task goes through until it runs, in this order."""
_tick = threading.Event()  # never set: waits a moment between two questions
_PAUSE = 0.3  # seconds between two questions, or more
_FAILED = {
    "paused": "its update has paused",
    "rollback_paused": "its update was rolled back, and that has paused",
    "rollback_completed": "its update was rolled back",
}


def converge_service(host: Host, name: str, seconds: float = CONVERGE, *, updated: bool = True) -> None:
    """Wait until every task of a service runs.

    Raises HostError with the last task's error when they do not in time.

    The time starts again whenever its tasks have come nearer to that than ever before: so it ends for those that fail
    again and again. An update that pauses or is rolled back raises at once, unless it was an earlier one: then it is
    not `updated`.
    """
    deadline, nearest = time.monotonic() + seconds, 0
    settled = 0  # times in a row: an update that was just accepted has not begun yet
    with engine(host, f"wait for service {name}") as api:
        while True:
            asked = time.monotonic()
            service = api.services(filters={"name": name}, status=True)
            found = next((one for one in service if one["Spec"]["Name"] == name), None)
            if found is None:
                raise HostError(host.name, f"service {name} was removed while clusterlab waited for it")
            tasks = api.tasks(filters={"service": name})
            state = (found.get("UpdateStatus") or {}).get("State", "") if updated else ""
            going_back = state.startswith("rollback_")
            settled = settled + 1 if not going_back and _runs(found) and _up_to_date(found, tasks) else 0
            if settled == 2:
                return
            if (nearer := progress_of(tasks)) > nearest:
                deadline, nearest = time.monotonic() + seconds, nearer
            if time.monotonic() > deadline or state in _FAILED:
                raise _not_converged(host, api, name, found, seconds)
            _tick.wait(pause_after(time.monotonic() - asked, _PAUSE))


def progress_of(tasks: Iterable[Json]) -> int:
    """How far the tasks that are to run have come, all together."""
    states = [task["Status"]["State"] for task in tasks if task["DesiredState"] == "running"]
    return sum(_STATES.index(state) for state in states if state in _STATES)


def _runs(service: Json) -> bool:
    status = service.get("ServiceStatus") or {}
    updating = (service.get("UpdateStatus") or {}).get("State") == "updating"
    desired, running = status.get("DesiredTasks", 0), status.get("RunningTasks", 0)
    wanted = replicas_of(service["Spec"])
    settled = desired == wanted if wanted is not None else desired > 0
    return settled and running == desired and not updating


def _up_to_date(service: Json, tasks: list[Json]) -> bool:
    """Whether tasks match the service's current state, and all others have ended."""
    wanted = service["Spec"]["TaskTemplate"]["ContainerSpec"]
    for task in tasks:
        state = task["Status"]["State"]
        if task["DesiredState"] == "running":
            has = task["Spec"]["ContainerSpec"]
            if any(not same(wanted.get(key), has.get(key)) for key in ("Image", "Env", *SPEC)):
                return False
        elif state in ("starting", "running"):
            return False
    return True


def _not_converged(host: Host, api: Any, name: str, service: Json, seconds: float) -> ClusterlabError:
    tasks = sorted(api.tasks(filters={"service": name}), key=lambda task: str(task.get("CreatedAt")))
    errors = [str(task["Status"]["Err"]) for task in tasks if task.get("Status", {}).get("Err")]
    status = service.get("ServiceStatus") or {}
    counted = f"{status.get('RunningTasks', 0)} of {status.get('DesiredTasks', 0)} tasks run"
    last = f": {errors[-1]}" if errors else ""
    state = (service.get("UpdateStatus") or {}).get("State", "")
    ended = _FAILED.get(state, "")
    return HostError(
        host.name,
        f"service {name}: {ended or f'{counted}, with no progress for {seconds:.0f} s'}{last}",
        remedy=f"`docker service ps --no-trunc {name}` on {host.name} shows what each task did.",
        detail="\n".join(f"{task['Status']['State']}: {task['Status'].get('Err', '')}" for task in tasks[-10:]),
    )
