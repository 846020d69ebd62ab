"""What all tests share."""

from __future__ import annotations

import signal


def pytest_configure() -> None:
    """Interrupts work as on a terminal; a shell has what it starts in the background ignore them, and children too."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
