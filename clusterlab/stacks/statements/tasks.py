"""Statements about a service and its tasks.

Its spec, and that they run, stay up, are where they may be, healthy.
"""

from __future__ import annotations

from collections.abc import Iterator

from clusterlab.stacks.service_specs import listed, value
from clusterlab.stacks.stack import Service, Stack

from .statement import Statement, statement


def spec(stack: Stack, service: Service) -> Iterator[Statement]:
    """The service has the spec of the files, and so have its tasks.

    No update was silently rolled back.
    """
    name = stack.scoped(service.name)
    title = f"{name} and its tasks have the spec of the stack's files"
    yield statement("spec", service.name, title, "service_spec", {"service": name})


def running(stack: Stack, service: Service) -> Iterator[Statement]:
    """As many tasks as the file wants, none of which fails again and again.

    Of a job, that many have ended well.
    """
    name, number = stack.scoped(service.name), service.tasks
    if service.is_job:
        if number != 0:
            title = f"{number} tasks of the job {name} are complete"
            title = title if number else f"the job {name} is complete on each node for it"
            probe: dict[str, object] = {"service": name, "completed": number or "each"}
            yield statement("running", service.name, title, "tasks", probe)
        return
    probe = {"service": name, "running": "each" if number is None else number}
    title = f"a task of {name} runs on each node for it" if number is None else _tasks(number, name)
    if number != 0:
        probe["steady"] = True
        title += ", and does not fail again and again"
    yield statement("running", service.name, title, "tasks", probe)


def placed(stack: Stack, service: Service) -> Iterator[Statement]:
    """Tasks are on nodes that the constraints match, within the limit per node."""
    name, constraints = stack.scoped(service.name), listed(service.deploy.constraints)
    most = value(service.deploy.max_replicas_per_node) or None
    if constraints or most:
        probe = {"service": name, **({"constraints": constraints} if constraints else {})}
        probe |= {"most_per_node": most} if most else {}
        yield statement("placed", service.name, f"tasks of {name} are on allowed nodes", "tasks", probe)


def healthy(stack: Stack, service: Service) -> Iterator[Statement]:
    """The health check of the file reports healthy.

    One of the image alone is not known from the file.
    """
    check = service.healthcheck
    test = listed(check.test) if check else []
    if check and not value(check.disable) and len(test) > 1 and test[0] != "NONE":
        name = stack.scoped(service.name)
        title = f"the health check of each task of {name} reports healthy"
        yield statement("healthy", service.name, title, "tasks", {"service": name, "healthy": True})


def _tasks(number: int, name: str) -> str:
    return f"{number or 'no'} task of {name} runs" if number < 2 else f"each of {number} tasks of {name} runs"
