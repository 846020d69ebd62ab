"""What a check does to the lab between its probes."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from .base import Issue, Model
from .problems import either

CONTAINER_ACTIONS = ("stop", "start", "restart", "kill", "recreate")
NETWORK_ACTIONS = ("connect", "disconnect")
SWARM_ACTIONS = ("scale", "drain")
ACTIONS = (*CONTAINER_ACTIONS, *NETWORK_ACTIONS, *SWARM_ACTIONS)


class Connection(Model):
    """A container on a network."""

    container: str
    network: str


class ServiceTask(Model):
    """One of the running tasks of a service: that with the lowest number."""

    service: str


class Scaling(Model):
    """A service with another number of tasks."""

    service: str
    replicas: int = Field(ge=0)


class Action(Model):
    """Something done between probes; what it changed is restored when the check ends, however it ends."""

    stop: str | None = Field(default=None, description="a container")
    start: str | None = Field(default=None, description="a container")
    restart: str | None = Field(default=None, description="a container: stopped, and started again")
    kill: str | ServiceTask | None = Field(
        default=None, description="a container or a task: its processes end at once, as with kill -9"
    )
    recreate: str | None = Field(
        default=None,
        description="a container: removed with its anonymous volumes, and recreated as the play describes it",
    )
    connect: Connection | None = Field(default=None, description="put a container on a network")
    disconnect: Connection | None = Field(default=None, description="take a container off a network")
    scale: Scaling | None = Field(default=None, description="give a service another number of tasks")
    drain: str | None = Field(default=None, description="a Docker host: the Swarm takes its tasks elsewhere")

    @property
    def name(self) -> str:
        """Which action it is."""
        return self.given(*ACTIONS)[0]

    @property
    def container(self) -> str:
        """The container that is changed, or "" when it is a service or a host."""
        value = getattr(self, self.name)
        if isinstance(value, Connection):
            return value.container
        return "" if self.service or self.drain else str(value)

    @property
    def service(self) -> str:
        """The service that is changed, or ""."""
        value = getattr(self, self.name)
        return value.service if isinstance(value, ServiceTask | Scaling) else ""

    def issues(self) -> Iterator[Issue]:
        if len(self.given(*ACTIONS)) != 1:
            yield Issue((), f"an action is exactly one of {either(ACTIONS)}", "Write one step per action.")
