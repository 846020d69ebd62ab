"""What the kinds of resources that hosts need for their roles have in common.

Packages, modules, units, exports.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeVar

from clusterlab.model.lab import Lab

from . import system as systems
from .base import Key, Skipped
from .kind import ResourceKind, Verb
from .observed import Observed
from .scope import Scope, Wants

W = TypeVar("W")
F = TypeVar("F")


class Role(NamedTuple):
    """A name that a role of a host asks for, and the capability that it needs, or "".

    Without the capability, the host cannot have it.
    """

    name: str
    capability: str = ""


class HostKind(ResourceKind[W, F]):
    """A kind that `provision` converges and `deprovision` takes back."""

    verb: Verb = "provision"

    @abstractmethod
    def asked(self, lab: Lab, host: str) -> Iterator[tuple[Role, W]]:
        """What a host should have, whatever its capabilities."""

    def wanted(self, wants: Wants) -> Mapping[Key, W]:
        return {
            Key(host, self.name, role.name): wanted
            for host in wants.lab.inventory.hosts
            for role, wanted in self.asked(wants.lab, host)
            if not role.capability or wants.capabilities.has(host, role.capability)
        }

    def left_out(self, wants: Wants) -> Iterator[Skipped]:
        for host in wants.lab.inventory.hosts:
            for role, _ in self.asked(wants.lab, host):
                if role.capability and not wants.capabilities.has(host, role.capability):
                    reason = f"{role.capability}: {wants.capabilities.reason(host, role.capability)}"
                    yield Skipped(Key(host, self.name, role.name), reason)


def system_of(at: Observed) -> systems.System:
    """The system of a host that was asked for it."""
    return systems.system(at.answers.get("system", ""))


def by_host(wanted: Mapping[Key, W], scope: Scope) -> Iterator[tuple[Observed, dict[str, W]]]:
    """What is wanted on each host that answered, by name."""
    for at in scope.everywhere:
        here = {key.name: one for key, one in wanted.items() if key.host == at.name}
        if here:
            yield at, here


def pending_on(scope: Scope, host: str, *kinds: str) -> frozenset[Key]:
    """The changes planned so far on a host, of some kinds."""
    return frozenset(key for key in scope.pending if key.host == host and key.kind in kinds)
