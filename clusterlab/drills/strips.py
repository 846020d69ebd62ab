"""Series as strips of a timeline: a character for each second."""

from __future__ import annotations

import math

from clusterlab.results import Strip

from .availability import availability, latency
from .series import Series


def strip(name: str, series: Series, injected: float, healed: float, lead: int, seconds: int) -> Strip:
    """The strip of a series, `seconds` long.

    It begins `lead` seconds before the injection.

    A second has failed when any of its ticks has; when it has none, as at a slow rate, it is as the one before it.
    """
    cells = ["?"] * seconds
    for index in range(seconds):
        begin = injected - lead + index
        states = {tick.state for tick in series.between(begin, begin + 1).ticks}
        if "failed" in states:
            cells[index] = "#"
        elif "ok" in states:
            cells[index] = "="
        elif not states and series.period > 1 and index:
            cells[index] = cells[index - 1]
    during = series.between(injected, healed)
    spans = {
        "before": series.between(-math.inf, injected),
        "during": during,
        "after": series.between(healed, math.inf),
    }
    took = ", ".join(f"{span} {found}" for span, one in spans.items() if (found := latency(one)))
    return Strip(name, "".join(cells), f"{availability(during, injected)}; p50/p95/max {took or 'unknown'}")
