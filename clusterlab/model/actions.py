"""What a check does to the lab between its probes."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from .base import Fault, Model
from .problems import either

CONTAINER_ACTIONS = ("stop", "start", "restart", "kill", "recreate")
NETWORK_ACTIONS = ("connect", "disconnect")
ACTIONS = (*CONTAINER_ACTIONS, *NETWORK_ACTIONS)


class Connection(Model):
    """A container on a network."""

    container: str
    network: str


class Action(Model):
    """Something done between probes; what it changed is put back when the check ends, however it ends."""

    stop: str | None = Field(default=None, description="a container")
    start: str | None = Field(default=None, description="a container")
    restart: str | None = Field(default=None, description="a container: stopped, and started again")
    kill: str | None = Field(default=None, description="a container: its processes end at once, as with kill -9")
    recreate: str | None = Field(
        default=None,
        description="a container: removed with its anonymous volumes, and made anew as the play describes it",
    )
    connect: Connection | None = Field(default=None, description="put a container on a network")
    disconnect: Connection | None = Field(default=None, description="take a container off a network")

    @property
    def name(self) -> str:
        """Which action it is."""
        return self.given(*ACTIONS)[0]

    @property
    def container(self) -> str:
        """The container that is changed."""
        value = getattr(self, self.name)
        return value.container if isinstance(value, Connection) else str(value)

    def faults(self) -> Iterator[Fault]:
        if len(self.given(*ACTIONS)) != 1:
            yield Fault((), f"an action is exactly one of {either(ACTIONS)}", "Write one step per action.")
