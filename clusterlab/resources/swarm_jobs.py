"""Jobs of a Swarm: waiting until their tasks have completed."""

from __future__ import annotations

from collections.abc import Sequence

from clusterlab.errors import DeadlineExceeded, HostError
from clusterlab.remote import Host
from clusterlab.waiting import wait_until

from .engine_calls import engine
from .observed import Json

SECONDS = 300.0
"""What a job gets until it has completed; one whose tasks still run then is left to go on."""


def wait_for_job(host: Host, name: str, seconds: float = SECONDS) -> None:
    """Wait until the tasks of a job have completed, or run.

    Raises HostError with the last task's error if neither.
    """
    tasks: list[Json] = []
    with engine(host, f"wait for job {name}") as api:

        def completed() -> bool:
            service = api.inspect_service(name)
            tasks[:] = of_last_run(service, api.tasks(filters={"service": name}))
            return _completed(service, tasks)

        try:
            wait_until(completed, f"the job {name} to complete", seconds, subject=host.name)
        except DeadlineExceeded as error:
            if not any(task["Status"]["State"] in ("starting", "running") for task in tasks):
                raise _not_completed(host, name, tasks, seconds) from error


def of_last_run(service: Json, tasks: Sequence[Json]) -> list[Json]:
    """The tasks of a job's last run.

    An update runs it again, and the Swarm keeps those of earlier runs for a while.
    """
    run = ((service.get("JobStatus") or {}).get("JobIteration") or {}).get("Index", 0)
    return [task for task in tasks if (task.get("JobIteration") or {}).get("Index", 0) == run]


def _completed(service: Json, tasks: Sequence[Json]) -> bool:
    complete = [task for task in tasks if task["Status"]["State"] == "complete"]
    replicated = (service["Spec"]["Mode"]).get("ReplicatedJob")
    if replicated is not None:
        return len(complete) >= int(replicated.get("TotalCompletions", 1))
    nodes = {task.get("NodeID") for task in tasks}
    return bool(nodes) and nodes == {task.get("NodeID") for task in complete}


def _not_completed(host: Host, name: str, tasks: Sequence[Json], seconds: float) -> HostError:
    ordered = sorted(tasks, key=lambda task: str(task.get("CreatedAt")))
    errors = [str(task["Status"]["Err"]) for task in ordered if task["Status"].get("Err")]
    last = f": {errors[-1]}" if errors else ""
    return HostError(
        host.name,
        f"job {name}: it has not completed within {seconds:.0f} s{last}",
        remedy=f"`docker service ps --no-trunc {name}` on {host.name} shows what each task did.",
        detail="\n".join(f"{task['Status']['State']}: {task['Status'].get('Err', '')}" for task in ordered[-10:]),
    )
