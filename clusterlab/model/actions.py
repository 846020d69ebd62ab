"""What a check does to the lab between its probes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, Literal

from pydantic import Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from .base import Issue, Model
from .deferred import Deferred
from .faults import FaultParameters, fault_kinds, with_fault_keys
from .problems import either

CONTAINER_ACTIONS = ("stop", "start", "restart", "kill", "recreate")
NETWORK_ACTIONS = ("connect", "disconnect")
SWARM_ACTIONS = ("scale", "drain")
ACTIONS = (*CONTAINER_ACTIONS, *NETWORK_ACTIONS, *SWARM_ACTIONS)
HEAL = "heal"
"""The action that heals the faults of a check before its end; written as one word."""


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
    """Something done between probes.

    What it changed is restored when the check ends, however it ends.

    Besides these keys it has one for each kind of fault; `do: heal` heals the faults of the check earlier.
    """

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

    heal: Literal[True] | None = Field(default=None, description="heal the faults of this check now")

    @property
    def name(self) -> str:
        """Which action it is."""
        return self.given(*_keys(type(self)))[0]

    @property
    def fault(self) -> FaultParameters | None:
        """The parameters of the fault that it injects."""
        value = getattr(self, self.name)
        return value if isinstance(value, FaultParameters) else None

    @property
    def breaks(self) -> bool:
        """Whether it is about faults, and not about what the lab created."""
        return self.fault is not None or self.heal is not None

    @property
    def container(self) -> str:
        """The container that is changed, or "" when it is a service or a host."""
        value = getattr(self, self.name)
        if isinstance(value, Connection):
            return value.container
        return "" if self.service or self.drain or self.breaks else str(value)

    @property
    def service(self) -> str:
        """The service that is changed, or ""."""
        value = getattr(self, self.name)
        return value.service if isinstance(value, ServiceTask | Scaling) else ""

    def issues(self) -> Iterator[Issue]:
        keys = _keys(type(self))
        if len(self.given(*keys)) != 1:
            known = either([*ACTIONS, HEAL, "a fault"])
            yield Issue((), f"an action is exactly one of {known}", "Write one step per action.")


@cache
def action_model() -> type[Action]:
    """An action with a key for every kind of fault."""
    return with_fault_keys(Action)


def _keys(model: type[Model]) -> list[str]:
    return [*ACTIONS, *(name for name in fault_kinds() if name in model.model_fields), HEAL]


class AsAction(Deferred):
    """Annotates a field whose model is the complete one of an action.

    It takes `heal` as a word.
    """

    def __init__(self) -> None:
        super().__init__(action_model)

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        action = handler.generate_schema(action_model())
        return core_schema.no_info_before_validator_function(
            _in_full, action, json_schema_input_schema=core_schema.union_schema([action, _HEALS])
        )


_HEALS = core_schema.literal_schema([HEAL])


def _in_full(value: Any) -> Any:
    return {HEAL: True} if value == HEAL else value
