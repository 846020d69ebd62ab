"""Judging what every place read of a file that several wrote.

Was a line lost, doubled, changed or put out of order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence


def line(run: str, writer: str, number: int) -> str:
    """The `number`th line that a writer appends in a run."""
    return f"{run} {writer} {number}"


def problems(run: str, first: str, writers: Sequence[str], appends: int, text: str) -> list[str]:
    """What is wrong with a reading.

    After the line `first`, it must have `appends` lines of each writer, each in order.

    Each problem is a sentence; an empty list means that the history is sound.
    """
    lines = text.splitlines()
    expected = {writer: [line(run, writer, n) for n in range(1, appends + 1)] for writer in writers}
    seen = Counter(lines)
    found = [] if lines[:1] == [first] else [f"the first line is {lines[0] if lines else 'missing'!r}, not {first!r}"]
    for writer, own in expected.items():
        lost = [text for text in own if not seen[text]]
        if lost:
            found.append(f"{len(lost)} of {appends} lines of {writer} lost")
        doubled = [text for text in own if seen[text] > 1]
        if doubled:
            found.append(f"{len(doubled)} lines of {writer} doubled")
        order = [text for text in lines if text in own]
        if not lost and not doubled and order != own:
            found.append(f"lines of {writer} out of order")
    known = {first, *(text for own in expected.values() for text in own)}
    foreign = [text for text in lines if text not in known]
    if foreign:
        found.append(f"{len(foreign)} lines that nobody wrote, such as {foreign[0][:80]!r}")
    if seen[first] > 1:
        found.append("the first line doubled")
    return found
