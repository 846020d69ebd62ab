"""The fixtures of nights on real engines."""

from night_lab import nights, three

__all__ = ["nights", "three"]
