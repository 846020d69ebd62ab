"""Proving what plays say.

Probes are asked, results come back with their evidence.
"""

from __future__ import annotations

from .runner import run_checks

__all__ = ["run_checks"]
