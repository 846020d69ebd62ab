"""A kind of fault: everything about it in one object."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from clusterlab.errors import UsageError
from clusterlab.machines.base import MachineKind
from clusterlab.machines.outside import Ability, Operation
from clusterlab.model.base import Model
from clusterlab.model.faults import MOVING, FaultParameters, Running, Target
from clusterlab.model.inventory import Inventory

from .scene import Scene

P = TypeVar("P", bound=FaultParameters)

Before = Mapping[str, str]
"""What a kind remembers of the time before the fault, to distinguish its effect from the earlier state."""


@dataclass(frozen=True)
class OnHost:
    """What a fault does on one host: shell scripts for `sh`, as root.

    `heal` may run at any time and more than once, also after an `inject` that did not come far; it needs nothing else
    than the host. `inject` exits with REFUSED or UNSUPPORTED and a reason on stderr when it must not or cannot.
    """

    host: str
    inject: str
    heal: str


@dataclass(frozen=True)
class FromOutside:
    """What a fault does to one machine from outside."""

    host: str
    operation: Operation
    value: int = 0
    """As the operation wants it."""
    flaps: tuple[float, float] | None = None
    """It is done and undone again and again: the seconds that it is done, and those that it is not."""


Part = OnHost | FromOutside

REFUSED, UNSUPPORTED, NOTHING = 20, 21, 22
"""Exit codes of `inject`: it must not, it cannot, there is nothing that it could break."""


@dataclass(frozen=True)
class Seen:
    """Whether what was looked for is so, and what was seen, in half a sentence."""

    holds: bool
    text: str


class FaultKind(ABC, Generic[P]):
    """One kind of fault; `P` is the model of its parameters.

    `clusterlab.faults.kinds` lists the kinds of this package. Another package adds one with an entry point of the group
    `clusterlab.faults` whose value is an instance. The docstring of the class is its reference: what it does, what is
    seen then, how it is healed.
    """

    name: str
    """The key that names it in a file."""
    model: type[P]
    """Its parameters."""
    abilities: frozenset[Ability] = frozenset()
    """What the kind of machines must be able to do, or have of its own."""
    needs: frozenset[str] = frozenset()
    """Capabilities that the hosts must have."""
    named: bool = False
    """Whether it may lose data or a host, so that on existing machines `allow_faults` must name it."""
    within: float = 10.0
    """Seconds until it must be seen to have taken effect."""
    heals_within: float = 15.0
    """Seconds until it must be seen to be gone after it was healed."""
    leaves: frozenset[str] = frozenset()
    """The sections of a host's fingerprint (`clusterlab.faults.residue`) that differ afterwards by its nature."""

    @property
    def summary(self) -> str:
        """What it does, in one line."""
        return (inspect.getdoc(type(self)) or "").partition("\n")[0]

    def reason(self, machines: MachineKind) -> str:
        """Why machines of a kind cannot have it; "" when they can."""
        return next((machines.reason(one) for one in sorted(self.abilities) if machines.reason(one)), "")

    def names(self, params: P) -> Iterator[Target]:
        """The hosts, roles and services that its parameters name.

        By default those of `host`.
        """
        host: Target | list[Target] | None = getattr(params, "host", None)
        if host is not None:
            yield from host if isinstance(host, list) else [host]

    def services(self, params: P) -> Iterator[str]:
        """The services that its parameters name.

        By default those whose tasks say which hosts are meant.
        """
        yield from (target.runs for target in self.names(params) if isinstance(target, Running))

    def breaks(self, params: P) -> Iterator[str]:
        """The services whose tasks it breaks itself, so that the lab must have created them.

        By default none.
        """
        yield from ()

    def unknown(self, params: P, inventory: Inventory) -> str:
        """Why its parameters do not fit an inventory; "" when they do."""
        for target in self.names(params):
            if isinstance(target, str) and not _known(target, inventory):
                words = ", ".join(MOVING)
                return f"'{target}' is neither a host nor a role of the inventory, nor {words} or 'one of ROLE'"
        return ""

    def fixed(self, params: P, scene: Scene) -> P:
        """The parameters with hosts in place of targets that may mean another one later.

        By default that of `host`.
        """
        host: Target | None = getattr(params, "host", None)
        return params if host is None else params.model_copy(update={"host": scene.one(host)})

    def lost(self, params: P, scene: Scene) -> frozenset[str]:
        """The hosts that the others or their users lose to it: for its blast radius."""
        return frozenset()

    def theirs(self, params: P, scene: Scene) -> str:
        """Why it would break something that clusterlab did not create; "" when it would not.

        Machines and what they all have are a matter of permission in the inventory.
        """
        return ""

    @abstractmethod
    def parts(self, params: P, scene: Scene) -> Sequence[Part]:
        """What it does, and where.

        Raises NoEffect when there is nothing that it could break.
        """

    def before(self, params: P, scene: Scene) -> Before:
        """What must be known of the time before.

        Raises NoEffect when there is nothing that it could break.
        """
        return {}

    @abstractmethod
    def effect(self, params: P, scene: Scene, before: Before) -> Seen:
        """Whether it has taken effect, seen on the hosts themselves."""

    @abstractmethod
    def gone(self, params: P, scene: Scene, before: Before) -> Seen:
        """Whether it is gone, seen on the hosts themselves."""


def _known(target: str, inventory: Inventory) -> bool:
    from clusterlab.model.groups import GROUPS

    return target in inventory.hosts or target in MOVING or target.removeprefix("one of ") in GROUPS


class HostParameters(FaultParameters):
    """A fault of one host."""

    host: Target

    @property
    def at(self) -> str:
        """The host, once it is fixed."""
        return str(self.host)


def shown(params: Model) -> str:
    """Parameters as a file has them, on one line."""
    given = {name: getattr(params, name) for name in sorted(params.model_fields_set)}
    return ", ".join(f"{name.rstrip('_')} {_text(value)}" for name, value in given.items())


def _text(value: object) -> str:
    if isinstance(value, list):
        return " and ".join(_text(item) for item in value)
    return str(value) if isinstance(value, str | int | float | Running) else repr(value)


def require_known(kind: FaultKind[P], params: P, inventory: Inventory) -> None:
    """Raise UsageError when parameters name what the inventory does not have."""
    if why := kind.unknown(params, inventory):
        hosts = f"The hosts are {', '.join(inventory.hosts)}." if any(kind.names(params)) else ""
        raise UsageError(f"{kind.name}: {why}", remedy=hosts)
