"""What all tests share."""

from __future__ import annotations

import signal
from collections.abc import Generator

import pytest

from clusterlab.errors import ClusterlabError

pytest_plugins = ["clusterlab.pytest_plugin.fixtures"]
"""For modules that have a fixture `clusterlab` with a lab of their own."""


def pytest_configure() -> None:
    """Interrupts work as on a terminal; a shell has what it starts in the background ignore them, and children too."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the detail of an error too: the last lines of a log, which pytest does not know of."""
    report = yield
    error = call.excinfo.value if call.excinfo else None
    if isinstance(error, ClusterlabError) and error.detail:
        report.sections.append(("Last seen", error.detail))
    return report
