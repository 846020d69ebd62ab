"""What files may say of faults.

Exactly one key names the kind, as `partition: {between: [host1, host2]}`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from pydantic import ConfigDict, Field, create_model

from .base import Duration, Issue, Model
from .problems import listed

if TYPE_CHECKING:
    from .inventory import Inventory

LONGEST = 840.0
"""Seconds that a fault may last: what heals it in any case comes a minute later, and at most a quarter of an hour."""


class Running(Model):
    """The host that runs a task of a service; the first of them by name."""

    runs: str = Field(description="a service")

    def __str__(self) -> str:
        return f"the host that runs {self.runs}"


MOVING = ("leader", "followers", "majority")
"""The leader of the Swarm, the other managers, and the leader with as many of these as make a majority."""

Target = str | Running
"""A host, one of MOVING, a role, `one of ROLE`, or the host that runs a service; looked up at injection."""


class FaultParameters(Model):
    """What every fault has."""

    lasts: Duration = Field(
        default=120.0, le=LONGEST, description="how long it may last; the hosts heal themselves a minute later"
    )
    blast: int = Field(default=1, ge=1, description="how many hosts may be lost to it, the quorum of managers too")


class FaultModel(Protocol):
    """A kind of fault as files know it.

    `clusterlab.faults.kind.FaultKind` has the rest of it.
    """

    @property
    def name(self) -> str:
        """The key that names it."""

    @property
    def model(self) -> type[FaultParameters]:
        """What stands under that key."""

    def names(self, params: Any) -> Iterator[Target]:
        """The hosts, roles and services that its parameters name."""

    def services(self, params: Any) -> Iterator[str]:
        """The services that its parameters name."""

    def breaks(self, params: Any) -> Iterator[str]:
        """The services whose tasks it breaks itself."""

    def unknown(self, params: Any, inventory: Inventory) -> str:
        """Why its parameters do not fit an inventory; "" when they do."""


def fault_kinds() -> Mapping[str, FaultModel]:
    """Every kind by name.

    Raises UsageError for one of another package that cannot be used.
    """
    from clusterlab.faults.kinds import FAULTS

    return FAULTS


class FaultSpec(Model):
    """One fault with its parameters: exactly one key, which names the kind."""

    model_config = ConfigDict(defer_build=True)

    @property
    def name(self) -> str:
        """The kind's name."""
        return next(name for name in fault_kinds() if getattr(self, name, None) is not None)

    @property
    def params(self) -> FaultParameters:
        params: FaultParameters = getattr(self, self.name)
        return params

    def issues(self) -> Iterator[Issue]:
        given = self.given(*(name for name in fault_kinds() if name in type(self).model_fields))
        if len(given) != 1:
            found = f"not {listed(given)}" if given else "but has none"
            yield Issue((), f"a fault is exactly one kind, {found}", f"The kinds are {listed(fault_kinds())}.")


M = TypeVar("M", bound=Model)


def with_fault_keys(base: type[M]) -> type[M]:
    """A model with a key for every kind of fault."""
    keys: dict[str, Any] = {
        name: (kind.model | None, Field(default=None, description="a fault")) for name, kind in fault_kinds().items()
    }
    complete: type[M] = create_model(base.__name__, __base__=base, __module__=__name__, __doc__=base.__doc__, **keys)
    return complete


@cache
def fault_spec_model() -> type[FaultSpec]:
    """A fault with a key for every kind."""
    return with_fault_keys(FaultSpec)


def parse_fault(value: Mapping[str, Any]) -> FaultSpec:
    """A fault as `{name: {params}}`.

    Raises pydantic.ValidationError for one that is not valid.
    """
    return fault_spec_model().model_validate(dict(value))
