"""What the model knows of kinds of checks.

Each is an object of `clusterlab.checks` or of another package.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .base import Model
    from .lab import Lab
    from .playbook import Play
    from .problems import Problem
    from .source import KeyPath
    from .validate.files import Files, PlayFile


@dataclass(frozen=True)
class Touched:
    """What a probe names of its play, and which images of the inventory."""

    containers: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()
    volumes: frozenset[str] = frozenset()
    networks: frozenset[str] = frozenset()
    images: frozenset[str] = frozenset()


class ProbeKind(Protocol):
    """A kind of check as files know it.

    `clusterlab.checks.kind.CheckKind` has the rest of it.
    """

    @property
    def name(self) -> str:
        """The key that names it in a play."""

    @property
    def model(self) -> type[Model]:
        """What stands under that key."""

    @property
    def tools(self) -> tuple[str, ...]:
        """The programs that its probes may run where they are."""

    @property
    def needs(self) -> frozenset[str]:
        """The capabilities that the machines must have."""

    def problems(self, files: Files, file: PlayFile, path: KeyPath, probe: Any) -> Iterator[Problem]:
        """What is wrong with a probe, beyond its own model, in an inventory and a play.

        `path` leads to it.
        """

    def touches(self, probe: Any) -> Touched:
        """What a probe names."""

    def hosts(self, probe: Any, lab: Lab, play: Play) -> frozenset[str]:
        """The hosts on which a probe runs itself."""


def kinds() -> Mapping[str, ProbeKind]:
    """Every kind by name.

    Raises UsageError for one of another package that cannot be used.

    Kinds know how they are carried out, so their modules import this package: they are imported on first use.
    """
    from clusterlab.checks.kinds import KINDS

    return KINDS
