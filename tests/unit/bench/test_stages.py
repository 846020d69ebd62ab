"""The table of where the time of runs went."""

from __future__ import annotations

from typing import Any

from tests.bench.stages import table


def run(seconds: float, *results: tuple[str, str, float]) -> dict[str, Any]:
    return {
        "seconds": seconds,
        "stages": {"up": 11.2, "check": seconds - 11.2},
        "chain": {"seconds": 4.0, "checks": [{"play": play, "check": "x"} for play, _, _ in results[:1]]},
        "results": [{"play": play, "outcome": outcome, "seconds": took} for play, outcome, took in results],
    }


def test_each_run_is_a_column_and_what_it_has_not_is_a_dash() -> None:
    before = run(100.0, ("networks/bridge", "pass", 3.0), ("networks/bridge", "error", 30.0))
    after = run(50.4, ("networks/bridge", "pass", 2.0), ("volumes/nfs", "pass", 20.0))
    assert table({"before": before, "after": after}) == [
        "| | before | after |",
        "|---|---|---|",
        "| statements | 1 error, 1 pass | 2 pass |",
        "| up | 11 s | 11 s |",
        "| check | 89 s | 39 s |",
        "| all | 100 s | 50 s |",
        "| longest chain of checks | 4.0 s (networks/bridge) | 4.0 s (networks/bridge) |",
        "| networks/bridge: its checks, and the longest | 33 s, 30 s | 2.0 s, 2.0 s |",
        "| volumes/nfs: its checks, and the longest | - | 20 s, 20 s |",
    ]
