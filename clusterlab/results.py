"""What a check found: its outcome, and the evidence for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from clusterlab.redaction import clean, count


class Outcome(StrEnum):
    """How a check ended. Order of severity: see `worst`."""

    PASS = "pass"
    FLAKY = "flaky"  # failed, and passed when asked again at once
    FAIL = "fail"  # the lab answered, wrongly
    ERROR = "error"  # it could not be asked
    BLOCKED = "blocked"  # its precondition failed: the cause says which
    UNSUPPORTED = "unsupported"  # a host that it concerns cannot, or there is nothing to probe, with the reason
    WAIVED = "waived"  # a person accepted it
    NOT_RUN = "not-run"  # the run ended before it did, with the reason


_SEVERITY = [
    Outcome.PASS,
    Outcome.FLAKY,
    Outcome.UNSUPPORTED,
    Outcome.WAIVED,
    Outcome.NOT_RUN,
    Outcome.FAIL,
    Outcome.ERROR,
    Outcome.BLOCKED,
]


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """The most severe of `outcomes`; PASS when there are none."""
    return max(outcomes, key=_SEVERITY.index, default=Outcome.PASS)


@dataclass(frozen=True)
class Link:
    """What one place reaches of another, or does not.

    Places are hosts, containers, services as "service NAME", or addresses of none of them.
    """

    source: str
    target: str
    how: str  # "ping", "1422 bytes", "port 80", "http 80", "file"
    wanted: bool
    seen: bool | None  # None when it could not be found out
    found: str = ""

    @property
    def differs(self) -> bool:
        return self.seen is not self.wanted

    def __post_init__(self) -> None:
        for name in ("source", "target", "how", "found"):
            object.__setattr__(self, name, clean(getattr(self, name)))


@dataclass(frozen=True)
class Evidence:
    """What one probe ran at one place, what it expected and what it found.

    Nobody outside sees what a host or a container really printed: every text is cleaned when the evidence is created,
    of control characters and of secrets. `redacted` counts these, and is set here.
    """

    place: str  # "host1", or "apphost1 on host1"
    command: str  # as a person would type it there
    wanted: str
    found: str
    output: str = ""
    holds: bool = True
    logs: dict[str, str] = field(default_factory=dict)  # at that moment: "journal of host1", "log of apphost1"
    redacted: int = 0
    links: tuple[Link, ...] = ()  # what this shows of who reaches whom

    def __post_init__(self) -> None:
        texts = {name: clean(getattr(self, name)) for name in ("place", "command", "wanted", "found", "output")}
        logs = {name: clean(text) for name, text in self.logs.items()}
        redacted = count(*texts.values(), *logs.values())
        for name, value in {**texts, "logs": logs, "redacted": redacted}.items():
            object.__setattr__(self, name, value)


@dataclass(frozen=True)
class Cause:
    """What keeps statements from being proven.

    Reported once, with all that depend on it.
    """

    code: str  # stable, as "engine-down"
    subject: str  # the host or object that it is about
    summary: str  # one line, as "the Docker engine is not running"
    remedy: str = ""  # a command, or one sentence

    def __post_init__(self) -> None:
        for name in ("subject", "summary", "remedy"):
            object.__setattr__(self, name, clean(getattr(self, name)))


NOTHING_TO_PROBE = "nothing-to-probe"
"""The code of the cause of a derived statement about something that a sound stack need not have."""


@dataclass(frozen=True)
class Strip:
    """What one prober saw of one target, a character per second.

    `=` ok, `#` failed, `?` no data.
    """

    name: str
    cells: str
    found: str = ""  # the numbers, in one line

    def __post_init__(self) -> None:
        for name in ("name", "found"):
            object.__setattr__(self, name, clean(getattr(self, name)))


@dataclass(frozen=True)
class Moment:
    """Something that happened, `at` seconds after the injection of a fault."""

    at: float
    text: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", clean(self.text))


@dataclass(frozen=True)
class Timeline:
    """A drill as it went.

    All strips begin `lead` seconds before the fault was injected; it was healed at `heal`.
    """

    title: str
    lead: int
    heal: float
    strips: tuple[Strip, ...] = ()
    moments: tuple[Moment, ...] = ()


@dataclass(frozen=True)
class Named:
    """An error that doctor finds on the hosts of a statement that failed."""

    code: str  # see `clusterlab doctor --explain CODE`
    cause: str  # one line

    def __post_init__(self) -> None:
        object.__setattr__(self, "cause", clean(self.cause))


@dataclass(frozen=True)
class Result:
    play: str
    check: str
    kind: str
    outcome: Outcome
    attempts: int = 1
    seconds: float = 0.0
    evidence: tuple[Evidence, ...] = ()
    hint: str = ""
    cause: Cause | None = None  # of what is blocked or unsupported
    timeline: Timeline | None = None  # of a drill
    own: bool = False  # clusterlab states it of every lab: it proves nothing that a play states
    doctor: tuple[Named, ...] = ()  # what it may follow from, when it failed

    @property
    def excused(self) -> bool:
        """Whether it is unsupported for a cause that whoever works on the play cannot change.

        Without a cause, what was written has nothing to probe, such as a service that listens on no port.
        """
        return self.outcome is Outcome.UNSUPPORTED and self.cause is not None

    @property
    def fails_strict(self) -> bool:
        """Whether it makes a strict run fail although it did not fail: nobody has shown that it is true.

        Nobody has claimed either that the services of a stack listen on ports: what follows from its files about ports
        of which there are none is not proven, and no reason to fail on every run.
        """
        return self.outcome is Outcome.UNSUPPORTED and not (self.cause and self.cause.code == NOTHING_TO_PROBE)


@dataclass(frozen=True)
class Chain:
    """Checks of which each had to wait for the one before it."""

    results: tuple[Result, ...] = ()

    @property
    def seconds(self) -> float:
        return sum(result.seconds for result in self.results)
