"""Nightly runs as they are written and read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from clusterlab.nightly.nightly_run import NightlyRun, run_verdict
from clusterlab.pipeline.stages import Stage
from clusterlab.results import Evidence, Outcome, Result

BEGAN = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)


def result(outcome: Outcome, check: str = "it works", play: str = "volumes/nfs", seconds: float = 1.0) -> Result:
    holds = outcome in (Outcome.PASS, Outcome.FLAKY)
    evidence = Evidence("host1", "true", "yes", "yes" if holds else "no", holds=holds)
    return Result(play, check, "command", outcome, 1, seconds, (evidence,), "" if holds else "look at it")


def nightly_run(number: int, *results: Result, run: str = "") -> NightlyRun:
    made = NightlyRun(
        "demo", run or f"r{number}", number, started=BEGAN + timedelta(days=number), finished=True, seconds=60
    )
    made.stages = [Stage("check", "done", 50.0)]
    made.results = list(results)
    made.outcome = run_verdict(made.results, made.stages)
    return made
