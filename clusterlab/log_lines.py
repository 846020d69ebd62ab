"""Which lines of a log are new when it is read again and again, without secrets.

A private key has many lines, so lines are cleaned together, and a key may begin in one reading and end in the next.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from clusterlab.control_characters import plain
from clusterlab.redaction import REDACTED, clean

MOST = 2000
"""New lines of a log at once."""
CONTEXT = 200
"""Lines to read before those that are shown: a private key may begin there."""
Stamped = tuple[datetime, str]
"""A time and the line that was written then."""
_AHEAD = timedelta(minutes=1)  # by which a host's clock may be ahead of this one
_KEY_BEGIN = "-----BEGIN PRIVATE KEY-----"
_KEY_BEGINS = re.compile(r"-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY")


class Log:
    """One log: which of its lines are new, and what of them may be shown."""

    def __init__(self, since: datetime) -> None:
        self.since = since
        """From its second on, the log is to be read."""
        self._seen: Counter[Stamped] = Counter()
        self._in_key = False

    def new(self, read: Sequence[Stamped], last: int | None = None) -> list[Stamped]:
        """The lines of `read` that are new: the `last` ones, else at most MOST, and a line that says so."""
        lines = self._cleaned(self._fresh(read))
        most = last or MOST
        if len(lines) <= most:
            return lines
        kept = lines[-most:]
        return kept if last else [(kept[0][0], f"(only the last {most} new lines are shown)"), *kept]

    def _fresh(self, read: Sequence[Stamped]) -> list[Stamped]:
        """The lines that were not read before, nor are older than what was.

        A host's clock that is ahead may be corrected: `since` never goes beyond this computer's, or nothing would be
        new until then.
        """
        seen, met = self._seen.copy(), False
        fresh: list[Stamped] = []
        for line in read:
            if not seen[line]:
                fresh.append(line)
                continue
            seen[line] -= 1
            if not met:
                fresh, met = [], True  # fewer lines may have been read before than now: those were left out
        latest = datetime.now(UTC) + _AHEAD
        self.since = max([self.since, *(at for at, _ in read if at <= latest)])
        if read:
            second = self.since.replace(microsecond=0)
            self._seen = Counter(line for line in read if line[0] >= second)
        return fresh

    def _cleaned(self, lines: Sequence[Stamped]) -> list[Stamped]:
        """The lines cleaned together, since a private key has many, and some of them may have been read before.

        What was replaced as one has the time of its first line.
        """
        if not lines:
            return []
        pieces = [(at, piece) for at, text in lines for piece in _pieces(text)]
        if self._in_key:
            pieces.insert(0, (pieces[0][0], _KEY_BEGIN))
        texts = [piece for _, piece in pieces]
        together = "\n".join(texts)
        cleaned, at = [], 0
        for text in clean(together).split("\n"):
            if REDACTED not in text:
                at = texts.index(text, at)  # no piece of which nothing was replaced is lost
            cleaned.append((pieces[at][0], text))
            at += 1
        if self._in_key:
            time, text = cleaned.pop(0)
            rest = text.removeprefix(REDACTED)
            cleaned[:0] = [(time, rest)] if rest else []
        after = together[together.rfind("-----END ") + 1 :]
        self._in_key = bool(_KEY_BEGINS.search(after)) and (not cleaned or cleaned[-1][1].endswith(REDACTED))
        return cleaned


def _pieces(text: str) -> list[str]:
    """A line without control characters, each state of a progress bar by itself."""
    return [piece for piece in plain(text).split("\n") if piece] or [""]
