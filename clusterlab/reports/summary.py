"""One command that yields results, and the document that `--json` writes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from clusterlab.errors import ClusterlabError
from clusterlab.files import write_atomically
from clusterlab.reports.verdict import blocking, exit_code, proven, verdict
from clusterlab.results import Cause, Chain, Outcome, Result


@dataclass
class Run:
    """One command that yields results: what `check` and `run` write and show."""

    lab: str
    verb: str
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    seconds: float = 0.0
    stages: dict[str, float] = field(default_factory=dict)  # seconds of up, provision, apply, check
    results: list[Result] = field(default_factory=list)
    chain: Chain = field(default_factory=Chain)  # of the results, the longest
    strict: bool = False  # an unsupported statement makes the run fail
    error: ClusterlabError | None = None  # why not all of the run was carried out, whatever the results are
    failed_stage: str = ""  # the stage that raised the error
    notes: list[str] = field(
        default_factory=list
    )  # what all results say together, or how changes went that had to be repeated

    @property
    def outcome(self) -> Outcome:
        """The verdict of the results.

        An error turns it into ERROR unless a statement failed or was blocked.
        """
        found = verdict(self.results, self.strict)
        return Outcome.ERROR if self.error and found not in (Outcome.FAIL, Outcome.BLOCKED) else found

    @property
    def exit_code(self) -> int:
        return 3 if self.outcome is Outcome.ERROR else exit_code(self.results, self.strict)

    @property
    def stretch(self) -> float | None:
        """How many times as long as the longest chain of checks their stage took.

        None when none was asked.
        """
        took = self.stages.get("check", self.seconds)
        return took / self.chain.seconds if self.chain.seconds else None

    def document(self) -> dict[str, Any]:
        """The run as JSON-compatible data."""
        return {
            "lab": self.lab,
            "verb": self.verb,
            "outcome": self.outcome.value,
            "strict": self.strict,
            "proven": proven(self.results),
            "started": self.started.isoformat(timespec="seconds"),
            "seconds": round(self.seconds, 3),
            "stages": {name: round(took, 3) for name, took in self.stages.items()},
            "chain": {
                "seconds": round(self.chain.seconds, 3),
                "stretch": self.stretch and round(self.stretch, 2),
                "checks": [{"play": one.play, "check": one.check} for one in self.chain.results],
            },
            "causes": [_cause(cause, blocked) for cause, blocked in blocking(self.results).items()],
            "results": [_result(result) for result in self.results],
            **({"notes": self.notes} if self.notes else {}),
            **({"error": {"stage": self.failed_stage, **_error(self.error)}} if self.error else {}),
        }


def _error(error: ClusterlabError) -> dict[str, str]:
    return {"message": error.message, "remedy": error.remedy, "detail": error.detail}


def _cause(cause: Cause, blocked: Sequence[Result]) -> dict[str, Any]:
    from clusterlab.doctor.codes import code_of  # it takes long to import, and few runs have causes

    blocks = [{"play": one.play, "check": one.check} for one in blocked]
    return {**asdict(cause), "doctor": code_of(cause.code), "blocks": blocks}


def _result(result: Result) -> dict[str, Any]:
    return {
        "play": result.play,
        "check": result.check,
        **({"own": True} if result.own else {}),
        "kind": result.kind,
        "outcome": result.outcome.value,
        "attempts": result.attempts,
        "seconds": round(result.seconds, 3),
        "evidence": [asdict(evidence) for evidence in result.evidence],
        "hint": result.hint,
        "cause": asdict(result.cause) if result.cause else None,
        **({"timeline": asdict(result.timeline)} if result.timeline else {}),
        **({"doctor": [asdict(one) for one in result.doctor]} if result.doctor else {}),
    }


def write_text(path: Path, text: str) -> None:
    """Write a report whole or not at all, for this user alone.

    "-" is standard output.

    Raises ClusterlabError naming the reason.
    """
    if str(path) == "-":
        print(text)
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text + "\n")
    except OSError as error:
        raise ClusterlabError(
            f"cannot write {path}: {error.strerror}", remedy="Name a file in a folder that you can write to."
        ) from error


def write_json(path: Path, document: dict[str, Any]) -> None:
    """Write a document as JSON; see `write_text`."""
    write_text(path, json.dumps(document, indent=2, ensure_ascii=False))
