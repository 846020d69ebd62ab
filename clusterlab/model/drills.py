"""Drills: what is broken on purpose, and what clients may see of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, PrivateAttr

from .base import Duration, Issue, Model, Name, Strings
from .deferred import Deferred
from .faults import FaultSpec, fault_spec_model, parse_fault
from .probes import Port
from .problems import listed

IT, OTHERS, ANY = "it", "others", "any"
"""In drills with `each`: the host whose turn it is, and all others.

A client that tries every target.
"""


class HttpTarget(Model):
    """A page that answers with a status below 400, on each of several hosts."""

    service: str | None = Field(default=None, description="a service of the play, at the port that it publishes first")
    port: Port | None = Field(default=None, description="instead of service: a port of the hosts")
    at: Strings = Field(default=["docker"], description="the hosts to probe: names or roles")
    path: str = "/"

    def issues(self) -> Iterator[Issue]:
        if len(self.given("service", "port")) != 1:
            yield Issue((), "a page needs exactly one of service and port", "Write one of the two keys.")
        if not self.path.startswith("/"):
            yield Issue(("path",), f"'{self.path}' is not the path of a page", "Begin it with /.")


class TcpTarget(Model):
    """A port that accepts connections, on each of several hosts."""

    port: Port
    at: Strings = Field(default=["docker"], description="the hosts to probe: names or roles")


class Prober(Model):
    """Requests at a steady rate, each over a new connection.

    Exactly one of http, tcp, command and task.
    """

    http: HttpTarget | None = None
    tcp: TcpTarget | None = None
    command: list[str] | None = Field(
        default=None, min_length=1, description="a command that must succeed on each host of `from`"
    )
    task: str | None = Field(
        default=None,
        min_length=1,
        description="a service of the Swarm, by its full name: one of the hosts of `from` runs a task of it, which is "
        "healthy if it has a health check",
    )
    from_: Strings = Field(alias="from", min_length=1, description="the hosts to probe from: names or roles")
    every: Duration = Field(default=0.5, ge=0.1, description="the time between two requests")
    timeout: Duration = Field(default=1.0, ge=0.1, description="a request that takes longer has failed")
    anywhere: bool = Field(
        default=False, description="one host that answers is enough, also before the fault (always so for task)"
    )

    @property
    def at(self) -> list[str]:
        """The hosts that are asked, as the file has them.

        Those that ask, for a command and a task.
        """
        target = self.http or self.tcp
        return target.at if target else self.from_

    def issues(self) -> Iterator[Issue]:
        given = self.given("http", "tcp", "command", "task")
        if len(given) != 1:
            found = f"not {listed(given)}" if given else "but has none"
            yield Issue((), f"a prober is exactly one of http, tcp, command and task, {found}")


class Writer(Model):
    """Lines appended to a file of a volume on several hosts, and found afterwards.

    Each is forced to disk.

    A running container must mount the volume there.
    """

    volume: str = Field(description="a volume of the play, or the full name of one")
    from_: Strings = Field(alias="from", min_length=1, description="the hosts that write: names or roles")
    every: Duration = Field(default=0.5, ge=0.1, description="the time between two writes")
    timeout: Duration = Field(default=5.0, ge=1.0, description="the result of a write that takes longer is unknown")


class Expectation(Model):
    """What a prober or writer may meet while the fault lasts."""

    prober: str | None = None
    writer: str | None = None
    at: Strings = Field(
        default_factory=list,
        description="of a prober, the hosts to probe: names, roles, it, others; any: a client that tries them "
        "all (default: each of them)",
    )
    from_: Strings = Field(
        default_factory=list, alias="from", description="the hosts that probe or write (default: each of them)"
    )
    expect: Literal["holds", "degraded", "fails"]
    within: Duration | None = Field(default=None, description="with holds: from this long after the injection")
    unavailable: Duration | None = Field(default=None, description="with degraded: the longest total time")

    @property
    def subject(self) -> str:
        return self.prober or self.writer or ""

    def issues(self) -> Iterator[Issue]:
        if len(self.given("prober", "writer")) != 1:
            yield Issue((), "an expectation needs exactly one of prober and writer", "Write one of the two keys.")
        for key, word in (("within", "holds"), ("unavailable", "degraded")):
            if self.given(key) and self.expect != word:
                yield Issue((key,), f"'{key}' belongs to 'expect: {word}'", "Leave it out.", key=True)
        if self.writer is not None and self.given("at"):
            yield Issue(("at",), "a writer writes where it is", "Write from: instead of at:.", key=True)


class Final(Model):
    """What the final reading of a writer's file may show.

    By default nothing is lost or duplicated.
    """

    writer: str
    lost: int = Field(default=0, ge=0, description="how many acknowledged writes may be lost")
    duplicated: int = Field(default=0, ge=0, description="how many writes may be duplicated")


class Drill(Model):
    """A fault on purpose, with what is expected while it lasts and afterwards.

    `lacks` says what the inventory has too few of: such a drill has nothing but its title, and is unsupported.
    """

    model_config = ConfigDict(defer_build=True)

    _lacks: str = PrivateAttr(default="")

    title: str = Field(min_length=1, description="what happens and what is expected, as one sentence")
    each: Strings = Field(
        default_factory=list, description="hosts or roles: the drill is carried out once for each, which is `it`"
    )
    probers: dict[Name, Prober] = Field(default_factory=dict)
    writers: dict[Name, Writer] = Field(default_factory=dict)
    faults: list[Annotated[FaultSpec, Deferred(fault_spec_model)]] = Field(min_length=1)
    steady: Duration = Field(default=15.0, ge=1.0, description="how long everything must work before the fault")
    during: list[Expectation] = Field(min_length=1)
    recovers: Duration = Field(
        default=60.0, ge=1.0, description="everything must work within this time after healing begins"
    )
    after: list[Final] = Field(default_factory=list, description="of writers: what may be lost (default: nothing)")
    hint: str = Field(default="", description="what to check when it fails")

    @property
    def lacks(self) -> str:
        """Why the inventory cannot have this drill; "" when it can."""
        return self._lacks

    @classmethod
    def lacking(cls, title: str, reason: str) -> Drill:
        """A drill that the inventory cannot have."""
        drill = cls.model_construct(title=title, faults=[], during=[])
        drill._lacks = reason
        return drill

    @property
    def lasts(self) -> float:
        """Seconds that its faults last."""
        return max((fault.params.lasts for fault in self.faults), default=0.0)

    def issues(self) -> Iterator[Issue]:
        for name in self.probers.keys() & self.writers.keys():
            yield Issue(("writers", name), f"a prober is called '{name}' too", "Rename one of the two.", key=True)
        for index, one in enumerate(self.during):
            for key, known in (("prober", self.probers), ("writer", self.writers)):
                name = getattr(one, key)
                if name is not None and name not in known:
                    yield Issue(("during", index, key), f"the drill has no {key} '{name}'")
        for index, final in enumerate(self.after):
            if final.writer not in self.writers:
                yield Issue(("after", index, "writer"), f"the drill has no writer '{final.writer}'")
        judged = {one.subject for one in self.during}
        for section, names in (("probers", self.probers), ("writers", self.writers)):
            for name in names:
                if name not in judged:
                    remedy = "Add it to during:, or leave it out."
                    yield Issue((section, name), f"nothing is expected of '{name}'", remedy, key=True)


def with_host(spec: FaultSpec, it: str, others: Sequence[str]) -> FaultSpec:
    """A fault whose `it` and `others` are hosts."""
    if not it:
        return spec
    return parse_fault({spec.name: _replaced(spec.params.model_dump(by_alias=True, exclude_unset=True), it, others)})


def _replaced(value: Any, it: str, others: Sequence[str]) -> Any:
    match value:
        case dict():
            return {key: _replaced(item, it, others) for key, item in value.items()}
        case list():
            flat = [others if item == OTHERS else [_replaced(item, it, others)] for item in value]
            return [item for items in flat for item in items]
        case str() if value == IT:
            return it
        case _:
            return value
