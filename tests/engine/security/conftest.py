"""The fixtures of nights on real engines."""

from tests.support.night_lab import nights, three

__all__ = ["nights", "three"]
