"""What a prober or writer did at one place.

Its requests, as `ticks.sh` wrote them to its log.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from clusterlab.errors import ClusterlabError

Outcome = Literal["ok", "fail", "info"]
_OUTCOMES: tuple[Outcome, ...] = ("ok", "fail", "info")


@dataclass(frozen=True)
class Request:
    """One request: its tick, its beginning and end, and its result.

    Times are in seconds of uptime.

    It was acknowledged (ok), refused (fail), or nobody knows (info): it timed out, or had not ended.
    """

    tick: int
    began: float
    ended: float | None = None
    outcome: Outcome = "info"


@dataclass(frozen=True)
class Record:
    """All requests of one prober or writer.

    It is `complete` when it was seen to end; otherwise there may be requests after the last that was fetched, and
    nothing is known of these.
    """

    name: str
    requests: tuple[Request, ...]
    complete: bool = True


def read_record(name: str, text: str) -> Record:
    """The requests of a log.

    Its last line may be a part of one, and is left out then.

    Raises ClusterlabError for anything that `ticks.sh` does not write.
    """
    requests: dict[int, Request] = {}
    complete = False
    for line in text[: text.rfind("\n") + 1].splitlines():
        match line.split():
            case ["end"]:
                complete = True
            case ["invoke", tick, time] if tick.isdecimal() and time.isdecimal() and int(tick) not in requests:
                requests[int(tick)] = Request(int(tick), int(time) / 100)
            case [word, tick, time] if word in _OUTCOMES and tick.isdecimal() and time.isdecimal():
                known = requests.get(int(tick))
                if known is None or known.ended is not None:
                    raise ClusterlabError(f"{name} wrote {line!r} of a request that was not under way")
                outcome = next(one for one in _OUTCOMES if one == word)
                requests[int(tick)] = Request(known.tick, known.began, int(time) / 100, outcome)
            case _:
                raise ClusterlabError(f"{name} wrote {line[:80]!r}, which is not a line of a log")
    return Record(name, tuple(requests.values()), complete)
