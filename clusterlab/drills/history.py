"""A history of writes, and what a later reading says about it.

The checker, which asks nobody.

A write is invoked, and then acknowledged (ok), refused (fail), or it is unknown what became of it (info: it timed out,
or the host died meanwhile). Only what was acknowledged must be there; what is unknown may be there or not, as in
Jepsen's set checker (https://github.com/jepsen-io/jepsen).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .record import Record

_SHOWN = 5


@dataclass(frozen=True)
class Found:
    """What one reading of the file shows, in values WRITER:TICK."""

    lost: tuple[str, ...] = ()  # acknowledged, and absent
    duplicated: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()  # never invoked, or not a value at all
    refused: tuple[str, ...] = ()  # refused, but still written
    reordered: tuple[str, ...] = ()  # after a later value of the same writer


@dataclass(frozen=True)
class Judgement:
    """What all readings show.

    `found` by who read, and the counts of the writes themselves.
    """

    found: Mapping[str, Found] = field(default_factory=dict)
    acknowledged: int = 0
    unknown: int = 0
    failed: int = 0

    def count(self, what: str) -> int:
        """The number of values that are lost, duplicated, ... for any reader, each once."""
        return len({value for one in self.found.values() for value in getattr(one, what)})

    def __str__(self) -> str:
        """The sentence of a report.

        How many writes, and what is wrong with them, as whom read.
        """
        wrong = []
        for reader, one in self.found.items():
            for what in ("lost", "duplicated", "foreign", "refused", "reordered"):
                values: Sequence[str] = getattr(one, what)
                if values:
                    more = ", ..." if len(values) > _SHOWN else ""
                    wrong.append(f"{len(values)} {_WORDS[what]} as {reader} reads: {', '.join(values[:_SHOWN])}{more}")
        counts = f"{self.acknowledged} acknowledged, {self.failed} refused, {self.unknown} unknown"
        return f"{counts}; {'; '.join(wrong) or 'none lost, duplicated, foreign or reordered'}"


_WORDS = {
    "lost": "lost",
    "duplicated": "duplicated",
    "foreign": "foreign",
    "refused": "written although refused",
    "reordered": "reordered",
}


def judge(records: Iterable[Record], readings: Mapping[str, str]) -> Judgement:
    """Compare what all writers of a file recorded with what each reader found.

    A value in each line.
    """
    records = list(records)
    writes = [write for one in records for write in one.requests]
    counts = Counter(write.outcome for write in writes)
    found = {reader: _compare(records, text.splitlines()) for reader, text in readings.items()}
    return Judgement(found, counts["ok"], counts["info"], counts["fail"])


def combined(judgements: Iterable[Judgement]) -> Judgement:
    """What several files show together."""
    judgements = list(judgements)
    found = {
        reader: Found(
            *(
                tuple(value for one in judgements for value in getattr(one.found.get(reader, Found()), what))
                for what in ("lost", "duplicated", "foreign", "refused", "reordered")
            )
        )
        for reader in dict.fromkeys(reader for one in judgements for reader in one.found)
    }
    return Judgement(
        found,
        sum(one.acknowledged for one in judgements),
        sum(one.unknown for one in judgements),
        sum(one.failed for one in judgements),
    )


def _compare(records: Sequence[Record], lines: Sequence[str]) -> Found:
    seen = Counter(lines)
    values = {f"{one.name}:{write.tick}": write for one in records for write in one.requests}
    lost = [value for value, write in values.items() if write.outcome == "ok" and not seen[value]]
    return Found(
        lost=tuple(lost),
        duplicated=tuple(value for value, times in seen.items() if times > 1 and value in values),
        foreign=tuple(line for line in seen if line not in values and not _later(line, records)),
        refused=tuple(value for value, write in values.items() if write.outcome == "fail" and seen[value]),
        reordered=tuple(_reordered(records, lines)),
    )


def _later(line: str, records: Sequence[Record]) -> bool:
    """Whether a line is a write after the last fetched one of a writer cut off."""
    writer, _, tick = line.rpartition(":")
    record = next((one for one in records if one.name == writer and not one.complete), None)
    last = max((write.tick for write in record.requests), default=-1) if record else 0
    return record is not None and tick.isdecimal() and int(tick) > last


def _reordered(records: Sequence[Record], lines: Sequence[str]) -> Iterable[str]:
    """Acknowledged values after a later one of their writer.

    What is unknown may take effect at any time.
    """
    acknowledged = {
        f"{one.name}:{write.tick}": (one.name, write.tick)
        for one in records
        for write in one.requests
        if write.outcome == "ok"
    }
    latest = {one.name: -1 for one in records}
    for line in dict.fromkeys(lines):
        if line in acknowledged:
            writer, tick = acknowledged[line]
            if tick < latest[writer]:
                yield line
            latest[writer] = max(latest[writer], tick)
