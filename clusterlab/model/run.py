"""run: a container of its own, for one command, as `docker run --rm`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from .base import Duration, Fault, Model, Strings
from .compose_forms import Attachments, Environment
from .container_keys import Command, command_faults, mount_faults, network_faults, port_faults, tmpfs_faults
from .matcher import Matcher


class RunProbe(Model):
    """Run a container to its end; it is removed with its anonymous volumes, however it ends.

    Keys are those of a play's containers, with the same meaning.
    """

    on: Strings = Field(default_factory=list, description="Docker hosts: names, roles, or all")
    image: str = Field(description="a name among the inventory's images")
    command: Command | None = None
    entrypoint: Command | None = None
    environment: Environment = Field(default_factory=dict)
    user: str | int | None = None
    volumes: list[str] = Field(default_factory=list, description="NAME:/path[:ro] or /host/path:/path[:ro] or /path")
    volumes_from: list[str] = Field(default_factory=list, description="containers of this play, NAME[:ro]")
    tmpfs: Strings = Field(default_factory=list)
    ports: list[str | int] = Field(default_factory=list, description="[[address:]host-port:]port[/protocol]")
    networks: Attachments = Field(default_factory=dict)
    network_mode: Literal["bridge", "host", "none"] | None = None
    exit: int = Field(default=0, ge=0, le=255, description="the exit code that is right")
    stdout: Matcher | None = None
    stderr: Matcher | None = None
    fails: Matcher | None = Field(
        default=None, description="it must not start at all: what the engine says about that instead"
    )
    timeout: Duration = Field(default=60.0, description="how long it may run")

    def faults(self) -> Iterator[Fault]:
        if not self.on:
            yield Fault((), "a probe must say where it runs", "Add on: (Docker hosts or a role).")
        yield from command_faults("command", self.command)
        yield from command_faults("entrypoint", self.entrypoint)
        yield from mount_faults(self.volumes)
        yield from tmpfs_faults(self.tmpfs)
        yield from port_faults("ports", self.ports)
        yield from network_faults(self.network_mode, self.networks, self.ports)
        if self.fails is not None:
            for key in self.given("exit", "stdout", "stderr"):
                yield Fault(
                    (key,), f"'{key}' says nothing of a container that does not start", "Leave it or fails out."
                )
