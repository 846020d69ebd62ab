"""Objects that exist without clusterlab.

Checks may name them, and nothing changes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field

from .base import Issue, Model, ObjectName, Strings
from .compose_forms import empty_mapping


class ExternalContainer(Model):
    host: str = Field(description="the Docker host that it runs on")


class ExternalVolume(Model):
    hosts: Strings = Field(default=["docker"], description="a host, a list of hosts, or a role")


class ExternalNetwork(Model):
    hosts: Strings = Field(default_factory=list, description="where it is; leave it out for a network of the Swarm")


class External(Model):
    """Services, containers, networks and volumes that others created."""

    services: list[ObjectName] = Field(default_factory=list, description="of the Swarm")
    containers: dict[ObjectName, ExternalContainer] = Field(default_factory=dict)
    networks: dict[
        ObjectName,
        Annotated[ExternalNetwork, BeforeValidator(empty_mapping, json_schema_input_type=ExternalNetwork | None)],
    ] = Field(default_factory=dict)
    volumes: dict[
        ObjectName,
        Annotated[ExternalVolume, BeforeValidator(empty_mapping, json_schema_input_type=ExternalVolume | None)],
    ] = Field(default_factory=dict)

    sections: ClassVar[tuple[str, ...]] = ("services", "containers", "networks", "volumes")

    def names(self) -> Iterator[tuple[str, str]]:
        """The section and name of every object."""
        for section in self.sections:
            yield from ((section, name) for name in getattr(self, section))

    def only(self, keeps: Callable[[str, str], bool]) -> External:
        """Those objects that `keeps` says, by section and name."""
        services = [name for name in self.services if keeps("services", name)]
        others = {
            section: {name: one for name, one in getattr(self, section).items() if keeps(section, name)}
            for section in self.sections
            if section != "services"
        }
        return self.model_copy(update={"services": services, **others})

    def issues(self) -> Iterator[Issue]:
        for index, name in enumerate(self.services):
            if name in self.services[:index]:
                yield Issue(("services", index), f"the service '{name}' is listed twice", "Leave one of them out.")
