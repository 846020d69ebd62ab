"""A kind of check: everything about it in one object."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Generic, Literal, TypeVar

from clusterlab.model.base import Model
from clusterlab.model.kinds import Touched
from clusterlab.model.lab import Lab
from clusterlab.model.playbook import Play
from clusterlab.model.probes import Address, Probe, PublishedPort
from clusterlab.model.problems import Problem
from clusterlab.model.source import KeyPath
from clusterlab.model.validate.files import Files, PlayFile
from clusterlab.model.validate.probes import names_exist

from .finding import Finding
from .manual.line import Line
from .manual.where import Where
from .places import Places

P = TypeVar("P", bound=Model)


class CheckKind(ABC, Generic[P]):
    """One kind of check; `P` is the model of its probes.

    `clusterlab.checks.kinds` lists the kinds of this package. Another package adds one with an entry point of the group
    `clusterlab.checks` whose value is an instance.
    """

    name: str
    """The key that names it in a play."""
    model: type[P]
    """What stands under that key. Its docstring and the descriptions of its fields are the reference."""
    tools: tuple[str, ...] = ()
    """The programs that its probes may run at their places."""
    effort: float = 1.0
    """How long a probe takes beside those of other kinds, roughly: the longest chains of checks begin first."""
    needs: frozenset[str] = frozenset()
    """The capabilities that the machines must have, as in `needs` of a check."""

    def problems(self, files: Files, file: PlayFile, path: KeyPath, probe: P) -> Iterator[Problem]:
        """What is wrong with a probe in an inventory and a play.

        By default with the names in it.
        """
        yield from names_exist(files, file, path, probe)

    def touches(self, probe: P) -> Touched:
        """What a probe names.

        By default the containers of `in` and those whose addresses and ports it looks up.

        The scheduler also finds names and addresses in texts.
        """
        found = [getattr(probe, name) for name in type(probe).model_fields]
        values = [one for value in found for one in (value if isinstance(value, list) else [value])]
        inside = set(probe.in_) if isinstance(probe, Probe) else set()
        owners = {value.container for value in values if isinstance(value, Address | PublishedPort)}
        services = {value.service for value in values if isinstance(value, Address)}
        return Touched(
            containers=frozenset(name for name in inside | owners if name),
            services=frozenset(name for name in services if name),
        )

    def hosts(self, probe: P, lab: Lab, play: Play) -> frozenset[str]:
        """The hosts on which a probe runs itself: by default those of `on`."""
        return frozenset(lab.expand(probe.on)) if isinstance(probe, Probe) else frozenset()

    def asks(self, probe: P, play: Play) -> Literal["place", "engine", "manager"]:
        """What answers a probe.

        The place itself, the engines of its hosts, or any manager of the Swarm.
        """
        return "place"

    def opens(self, probe: P, play: Play) -> frozenset[str]:
        """The volumes of the play that a probe mounts, or whose files it opens.

        Without their server it would hang.
        """
        return frozenset()

    @abstractmethod
    def ask(self, probe: P, places: Places) -> list[Finding]:
        """Carry a probe out: a finding for each place.

        What it cannot find out is raised as a ProbeError.
        """

    @abstractmethod
    def manual(self, probe: P, where: Where) -> Iterator[Line]:
        """The commands that show the same to a person, with a proof for each."""
