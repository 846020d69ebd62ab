"""What hosts and containers said around the failure of a test."""

from __future__ import annotations

import pytest

from .bench import Bench
from .statements import NotProven, Statement


def failure_logs(item: pytest.Item, call: pytest.CallInfo[None], bench: Bench) -> dict[str, str]:
    """The logs for a report, by what they are called; none for a test that does not use the lab.

    A statement, and a check in a test, has collected them at the moment of its failure.
    """
    names = getattr(item, "fixturenames", ())
    if isinstance(item, Statement) or "clusterlab" not in names or not bench.is_open:
        return {}
    error = call.excinfo.value if call.excinfo else None
    if isinstance(error, NotProven):
        return {title: text for one in error.result.evidence for title, text in one.logs.items()}
    changes = getattr(item, "funcargs", {}).get("_changes")
    return bench.logs(set(changes.containers) if changes else set())
