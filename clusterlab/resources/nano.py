"""Billionths, in which the engine's API has times and processors."""

from __future__ import annotations

SECOND = 10**9


def nano(amount: float) -> int:
    """Seconds or processors in billionths.

    Rounded, since floating point has 8.2 * 10**9 a little below the integer.
    """
    return round(amount * 10**9)


def milliseconds(nanoseconds: int) -> str:
    """A time as commands take it, such as 1500ms."""
    return f"{_decimal(nanoseconds, 6)}ms"


def processors(billionths: int) -> str:
    """Processors as commands take them, such as 2.01."""
    return _decimal(billionths, 9)


def _decimal(amount: int, places: int) -> str:
    whole, rest = divmod(amount, 10**places)
    return f"{whole}.{rest:0{places}}".rstrip("0").rstrip(".")
