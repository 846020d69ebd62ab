"""What hosts and containers said around the failure of a test."""

from __future__ import annotations

import pytest

from .bench import Bench
from .statements import NotProven


def failure_logs(item: pytest.Item, call: pytest.CallInfo[None]) -> dict[str, str]:
    """The logs for a report, by what they are called; none for a test whose lab was not opened.

    A check in a test has collected them at the moment of its failure.
    """
    values = getattr(item, "funcargs", {})
    bench = values.get("clusterlab")
    if not isinstance(bench, Bench) or not bench.is_open:
        return {}
    error = call.excinfo.value if call.excinfo else None
    if isinstance(error, NotProven):
        return {title: text for one in error.result.evidence for title, text in one.logs.items()}
    changes = values.get("_changes")
    return bench.logs(set(changes.containers) if changes else set())
