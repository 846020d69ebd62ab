"""One run of doctor: findings, cost, and what differs from the run before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from clusterlab.files import make_private, write_atomically
from clusterlab.machines.paths import state_home

from .finding import Diagnosed, Finding, Severity, Unknown
from .mutes import Muted

_ORDER = [str(one) for one in Severity]


@dataclass(frozen=True)
class Examination:
    """A run with its findings after mutes.

    `counts` are connections, commands and API requests by host.
    """

    hosts: tuple[str, ...]
    diagnosed: Diagnosed
    muted: Muted
    seconds: float
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    started: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def findings(self) -> tuple[Finding, ...]:
        return self.muted.findings

    @property
    def unknown(self) -> tuple[Unknown, ...]:
        return self.diagnosed.unknown

    @property
    def exit_code(self) -> int:
        """0: nothing is broken, and every code was evaluated; 1: errors.

        3: no errors, but not all could be asked.
        """
        if any(one.severity is Severity.ERROR for one in self.findings):
            return 1
        return 3 if self.unknown else 0

    @property
    def verdict(self) -> str:
        """In one sentence; "healthy" only when every code was evaluated on every host."""
        numbers = {kind: sum(one.severity == kind for one in self.findings) for kind in Severity}
        names = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.ADVICE: "piece of advice"}
        parts = [_number(numbers[kind], name) for kind, name in names.items() if numbers[kind]]
        parts += [_number(len(self.unknown), "unknown", "unknown")] if self.unknown else []
        if not numbers[Severity.ERROR] and not self.unknown:
            parts.insert(0, "healthy")
        muted = f", {len(self.muted.muted)} muted" if self.muted.muted else ""
        return f"{', '.join(parts)}{muted}"

    def document(self) -> dict[str, Any]:
        """As JSON-compatible data."""
        return {
            "verb": "doctor",
            "verdict": self.verdict,
            "exit": self.exit_code,
            "started": self.started.isoformat(timespec="seconds"),
            "seconds": round(self.seconds, 3),
            "hosts": list(self.hosts),
            "codes": list(self.diagnosed.codes),
            "findings": [
                *(_finding(one) for one in self.findings),
                *({**_finding(one), "muted": mute.model_dump()} for one, mute in self.muted.muted),
            ],
            "unknown": [{**asdict(one), "key": one.key} for one in self.unknown],
            "counts": {name: dict(one) for name, one in self.counts.items()},
        }


def _finding(finding: Finding) -> dict[str, Any]:
    data = asdict(finding)
    del data["consequences"]
    return {**data, "key": finding.key, "docs": f"docs/doctor.md#{finding.code.lower()}", "muted": None}


def _number(number: int, one: str, many: str = "") -> str:
    plural = many or (one.replace("piece", "pieces") if "piece" in one else f"{one}s")
    return f"{number} {one if number == 1 else plural}"


@dataclass(frozen=True)
class Difference:
    """What is different from the run before, by the keys of findings."""

    before: str  # when that was
    new: tuple[str, ...]
    worse: tuple[str, ...]
    gone: tuple[str, ...]
    no_longer_asked: tuple[str, ...]


def last_run(name: str, hosts: Sequence[str]) -> Path:
    """Where the last run on a lab, or on these hosts, is kept."""
    digest = hashlib.sha256("\n".join(sorted(hosts)).encode()).hexdigest()[:16]
    return state_home() / "doctor" / f"{name or digest}.json"


def keep(path: Path, document: Mapping[str, Any]) -> None:
    """Write a run for the next one to compare with."""
    make_private(path.parent)
    write_atomically(path, json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def difference(path: Path, document: Mapping[str, Any]) -> Difference | None:
    """What is different from the kept run; None when there is none that can be read."""
    try:
        before = json.loads(path.read_text())
        old = {one["key"]: str(one["severity"]) for one in before["findings"]}
        started = str(before["started"])
    except (OSError, ValueError, LookupError, TypeError):
        return None
    new = {one["key"]: str(one["severity"]) for one in document["findings"]}
    unknown = {one["code"] for one in document["unknown"]}
    missing = sorted(set(old) - set(new))
    return Difference(
        started,
        tuple(sorted(set(new) - set(old))),
        tuple(sorted(key for key in set(new) & set(old) if _ORDER.index(new[key]) < _ORDER.index(old[key]))),
        tuple(key for key in missing if key.partition(":")[0] not in unknown),
        tuple(key for key in missing if key.partition(":")[0] in unknown),
    )
