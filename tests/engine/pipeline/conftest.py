from __future__ import annotations

from tests.support.nightly_lab import three

__all__ = ["three"]
