"""The fixtures of nightly runs on real engines."""

from tests.support.nightly_lab import nightly_lab, three

__all__ = ["nightly_lab", "three"]
