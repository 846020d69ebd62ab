from __future__ import annotations

from tests.support.night_lab import three

__all__ = ["three"]
