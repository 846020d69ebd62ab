"""What a list of results comes to: one verdict, one exit code, and the document that `--json` writes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from clusterlab.errors import ClusterlabError
from clusterlab.files import write_atomically
from clusterlab.results import Chain, Outcome, Result

_VERDICT_ORDER = (Outcome.FAIL, Outcome.ERROR, Outcome.FLAKY)


def verdict(results: Sequence[Result]) -> Outcome:
    """FAIL if any check failed, else ERROR if any could not be asked, else FLAKY if any was, else PASS.

    Results of which none was proven (all unsupported or waived, or none at all) are no PASS: UNSUPPORTED.
    """
    seen = Counter(result.outcome for result in results)
    for outcome in _VERDICT_ORDER:
        if seen[outcome]:
            return outcome
    return Outcome.PASS if seen[Outcome.PASS] else Outcome.UNSUPPORTED


def exit_code(results: Sequence[Result]) -> int:
    """0 all hold, 1 a check failed, 3 a check could not be asked, or nothing was proven."""
    return {Outcome.PASS: 0, Outcome.FLAKY: 0, Outcome.FAIL: 1}.get(verdict(results), 3)


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

    @property
    def stretch(self) -> float | None:
        """How many times as long as the longest chain of checks their stage took; None when none was asked."""
        took = self.stages.get("check", self.seconds)
        return took / self.chain.seconds if self.chain.seconds else None

    def document(self) -> dict[str, Any]:
        """The run as JSON-compatible data."""
        return {
            "lab": self.lab,
            "verb": self.verb,
            "outcome": verdict(self.results).value,
            "started": self.started.isoformat(timespec="seconds"),
            "seconds": round(self.seconds, 3),
            "stages": {name: round(took, 3) for name, took in self.stages.items()},
            "chain": {
                "seconds": round(self.chain.seconds, 3),
                "stretch": self.stretch and round(self.stretch, 2),
                "checks": [{"play": one.play, "check": one.check} for one in self.chain.results],
            },
            "results": [_result(result) for result in self.results],
        }


def _result(result: Result) -> dict[str, Any]:
    return {
        "play": result.play,
        "check": result.check,
        "kind": result.kind,
        "outcome": result.outcome.value,
        "attempts": result.attempts,
        "seconds": round(result.seconds, 3),
        "evidence": [asdict(evidence) for evidence in result.evidence],
        "hint": result.hint,
    }


def write_text(path: Path, text: str) -> None:
    """Write a report whole or not at all, for this user alone; "-" is standard output.

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
