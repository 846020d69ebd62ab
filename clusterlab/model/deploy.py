"""How a service is deployed: Compose's `deploy`, with its meaning.

https://github.com/compose-spec/compose-spec/blob/main/deploy.md. What is left out is what the engine has by default,
or what somebody set since the play last changed the service.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from .base import Duration, Issue, Model, Size
from .compose_forms import Labels

JOBS = ("replicated-job", "global-job")


class Preference(Model):
    spread: str = Field(examples=["node.labels.rack"], description="tasks are spread over the values of this label")


class Placement(Model):
    constraints: list[str] = Field(default_factory=list, examples=[["node.hostname == host1"]])
    preferences: list[Preference] = Field(default_factory=list)
    max_replicas_per_node: int | None = Field(default=None, ge=0, description="0: unlimited")


class _Replacing(Model):
    """How tasks are replaced."""

    parallelism: int | None = Field(default=None, ge=0, description="tasks at a time; 0: all")
    delay: Duration | None = None
    monitor: Duration | None = Field(default=None, description="how long a new task must run")
    max_failure_ratio: float | None = Field(default=None, ge=0, le=1)
    order: Literal["stop-first", "start-first"] | None = None


class UpdateConfig(_Replacing):
    """How tasks are replaced when the service changes."""

    failure_action: Literal["pause", "continue", "rollback"] | None = None


class RollbackConfig(_Replacing):
    """How tasks are replaced when an update is rolled back."""

    failure_action: Literal["pause", "continue"] | None = None


class RestartPolicy(Model):
    condition: Literal["none", "on-failure", "any"] | None = None
    delay: Duration | None = None
    max_attempts: int | None = Field(default=None, ge=0, description="0: unlimited")
    window: Duration | None = Field(default=None, description="how long a task must run to count as started")


class Reservations(Model):
    cpus: float | None = Field(default=None, ge=0)
    memory: Size | None = None


class Limits(Reservations):
    pids: int | None = Field(default=None, ge=0)


class Resources(Model):
    limits: Limits = Limits()
    reservations: Reservations = Reservations()


class Deploy(Model):
    mode: Literal["replicated", "global", "replicated-job", "global-job"] = "replicated"
    replicas: int = Field(default=1, ge=0)
    labels: Labels = Field(default_factory=dict, description="labels of the service, as `labels` beside it")
    endpoint_mode: Literal["vip", "dnsrr"] | None = None
    placement: Placement = Placement()
    update_config: UpdateConfig = UpdateConfig()
    rollback_config: RollbackConfig = RollbackConfig()
    restart_policy: RestartPolicy = RestartPolicy()
    resources: Resources = Resources()

    def issues(self) -> Iterator[Issue]:
        if self.mode.startswith("global") and self.given("replicas"):
            remedy = "Leave it out: a global service has one task per node."
            yield Issue(("replicas",), f"'replicas' has no effect with 'mode: {self.mode}'", remedy, True)
        if self.mode.startswith("global") and self.placement.given("max_replicas_per_node"):
            message = f"'max_replicas_per_node' has no effect with 'mode: {self.mode}'"
            yield Issue(("placement", "max_replicas_per_node"), message, "Leave it out.", True)
        if not self.is_job:
            return
        for key in self.given("update_config", "rollback_config"):
            yield Issue((key,), f"a job (mode {self.mode}) cannot have {key}", "Leave it out.", True)
        if self.restart_policy.condition == "any":
            yield Issue(
                ("restart_policy", "condition"),
                "a job that has completed does not start again",
                "Write on-failure or none.",
            )

    @property
    def is_job(self) -> bool:
        """Whether its tasks run once, until they have completed."""
        return self.mode in JOBS
