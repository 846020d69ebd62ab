"""What the measurements came to: medians, ratios, goals, and the table in the documentation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

BEGIN, END = "<!-- begin: make bench-peers -->", "<!-- end: make bench-peers -->"
OURS = "clusterlab"
GOALS = {
    (f"one command on {hosts} hosts", peer): goal
    for hosts in (50, 500)
    for peer, goal in (("Ansible", 1.0), ("pyinfra", 1.0), ("Fabric", 1.0), ("asyncssh", 1 / 1.3))
}
"""How many times as long a peer should take for a work as clusterlab does."""


@dataclass(frozen=True)
class Measured:
    """Seconds of each round of one work, by who did it."""

    work: str
    seconds: Mapping[str, Sequence[float]]


def rows(measured: Iterable[Measured]) -> list[list[str]]:
    """One row for each work and peer: ours, theirs, the ratio, and the goal."""
    found = []
    for one in measured:
        ours = median(one.seconds[OURS])
        for peer, seconds in one.seconds.items():
            if peer == OURS:
                continue
            theirs = median(seconds)
            goal = GOALS.get((one.work, peer))
            met = "-" if goal is None else f"{goal:.1f}: {'met' if theirs / ours >= goal else 'missed'}"
            found.append([one.work, peer, _range(one.seconds[OURS]), _range(seconds), f"{theirs / ours:.1f}", met])
    return found


def _range(seconds: Sequence[float]) -> str:
    return f"{median(seconds):.1f} ({min(seconds):.1f} to {max(seconds):.1f})"


def table(measured: Iterable[Measured], versions: Mapping[str, str], about: str) -> str:
    """The text that stands between the marks."""
    head = ["work", "peer", "clusterlab, s", "peer, s", "times as long", "goal"]
    lines = [head, ["---"] * len(head), *rows(measured)]
    shown = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    known = ", ".join(f"{name} {version}" for name, version in versions.items())
    return f"{about} Medians, and in brackets the fastest and the slowest round. {known}.\n\n{shown}"


def write(file: Path, text: str) -> None:
    """Replace what stands between the marks of a file. Raises ValueError when it has none."""
    before, begin, rest = file.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{file} lacks the lines {BEGIN} and {END}")
    file.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")
