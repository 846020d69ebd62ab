"""One nightly run: all that its report shows, as in its `results.json`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import TypeAdapter, ValidationError

from clusterlab.errors import ClusterlabError
from clusterlab.pipeline.stages import Stage
from clusterlab.reports.drawn import Picture
from clusterlab.reports.summary import Run
from clusterlab.reports.verdict import verdict
from clusterlab.results import Outcome, Result

OWN_PLAY = "nightly"
"""The play under which a nightly run's own statements are: that hosts answer, that a second apply changes nothing."""

Verdict = Literal["pass", "flaky", "fail", "error", "blocked", "unsupported", "unfinished"]
_WORDS: dict[Outcome, Verdict] = {
    Outcome.PASS: "pass",
    Outcome.FLAKY: "flaky",
    Outcome.FAIL: "fail",
    Outcome.ERROR: "error",
    Outcome.BLOCKED: "blocked",
    Outcome.UNSUPPORTED: "unsupported",
    Outcome.NOT_RUN: "error",
}
EXIT_CODES: dict[Verdict, int] = {"pass": 0, "flaky": 0, "fail": 1, "blocked": 1}  # any other: 3


class CheckId(NamedTuple):
    """What a check is known by from one run to the next."""

    play: str
    check: str

    def __str__(self) -> str:
        return f"{self.play}: {self.check}"


@dataclass(frozen=True)
class Changes:
    """How the outcomes of one run differ from those of an earlier one.

    The earlier one is named by `against` and `against_started`.
    """

    against: str
    against_started: datetime
    newly_failing: list[CheckId] = field(default_factory=list)
    newly_passing: list[CheckId] = field(default_factory=list)
    newly_flaky: list[CheckId] = field(default_factory=list)
    still_failing: list[CheckId] = field(default_factory=list)
    appeared: list[CheckId] = field(default_factory=list)
    gone: list[CheckId] = field(default_factory=list)

    @property
    def any(self) -> bool:
        return bool(self.newly_failing or self.newly_passing or self.newly_flaky or self.appeared or self.gone)


@dataclass(frozen=True)
class Trend:
    """A check over the last runs, this one included, the oldest first.

    `flake_rate` is of those that ran it.
    """

    play: str
    check: str
    outcomes: list[str]
    seconds: list[float]
    flake_rate: float
    median: float  # seconds of the runs before this one in which it held
    failing_since: datetime | None = None
    failing_runs: int = 0


@dataclass
class NightlyRun:
    """A nightly run. It is written again and again while it goes on.

    `finished` says whether that is all of it.
    """

    lab: str
    run: str
    number: int
    verb: str = "nightly"
    finished: bool = False
    strict: bool = False  # an unsupported statement makes the run fail
    outcome: Verdict = "unfinished"
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    seconds: float = 0.0
    inventory: str = ""
    stages: list[Stage] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    changes: Changes | None = None
    trends: list[Trend] = field(default_factory=list)
    versions: dict[str, dict[str, str]] = field(default_factory=dict)  # of each host: kernel, engine, ...
    picture: Picture = field(default_factory=Picture)
    doctor: dict[str, Any] | None = None  # what `clusterlab doctor --json` would have written

    @property
    def exit_code(self) -> int:
        """0 all proven, 1 a statement is not, 3 something could not be carried out."""
        return 1 if self.outcome == "unsupported" and self.strict else EXIT_CODES.get(self.outcome, 3)

    @property
    def failed_stages(self) -> list[Stage]:
        return [stage for stage in self.stages if stage.outcome in ("failed", "interrupted")]

    def counts(self) -> dict[str, int]:
        """How many results of each outcome, without those of which there are none."""
        seen = Counter(result.outcome for result in self.results)
        return {outcome.value: seen[outcome] for outcome in Outcome if seen[outcome]}

    def document(self) -> dict[str, Any]:
        """The run as JSON-compatible data."""
        made: dict[str, Any] = _adapter().dump_python(self, mode="json")
        return made

    def as_run(self) -> Run:
        """What the reports of single commands show of it."""
        stages = {stage.name: stage.seconds for stage in self.stages if stage.seconds}
        run = Run(self.lab, self.verb, self.started, self.seconds, stages, self.results, strict=self.strict)
        if self.failed_stages:
            first = self.failed_stages[0]
            run.error = ClusterlabError(first.message, remedy=first.remedy, detail=first.detail)
            run.failed_stage = first.name
        return run


def run_verdict(results: Sequence[Result], stages: Sequence[Stage], strict: bool = False) -> Verdict:
    """The verdict of the checks.

    A stage that failed turns "all hold" into "error", for then not all was tried.
    """
    outcome = verdict(results, strict)
    incomplete = any(stage.outcome in ("failed", "interrupted") for stage in stages)
    if incomplete and outcome in (Outcome.PASS, Outcome.FLAKY, Outcome.UNSUPPORTED):
        return "error"
    return _WORDS[outcome]


def from_run(run: Run, stages: list[Stage], picture: Picture) -> NightlyRun:
    """The run of a single command, as the report page shows it.

    It is not kept, so no earlier one is compared.
    """
    return NightlyRun(
        run.lab,
        run="",
        number=0,
        verb=run.verb,
        finished=True,
        strict=run.strict,
        outcome=run_verdict(run.results, stages, run.strict),
        started=run.started,
        seconds=run.seconds,
        stages=stages,
        results=run.results,
        notes=list(run.notes),
        picture=picture,
    )


def read_nightly_run(path: Path) -> NightlyRun:
    """The run of a `results.json`.

    Raises ClusterlabError when it cannot be read, or is something else.
    """
    try:
        return _adapter().validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise ClusterlabError(f"there is no {path}", remedy="`clusterlab history` lists the runs.") from error
    except OSError as error:
        raise ClusterlabError(f"{path} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        raise ClusterlabError(f"{path} is not the result of a nightly run", detail=str(error)[:2000]) from error


@cache
def _adapter() -> TypeAdapter[NightlyRun]:
    return TypeAdapter(NightlyRun)
