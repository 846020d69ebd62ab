"""Hooks of the plug-in, for conftest.py and other plug-ins."""

from __future__ import annotations

from collections.abc import Iterable


def pytest_clusterlab_kinds() -> Iterable[object]:  # type: ignore[empty-body]
    """Kinds of one's own: checks, faults, resources or machines, as entry points of packages have them.

    Asked before the inventory and the plays are read, so only in plug-ins and in the conftest.py that pytest loads
    first: of the folder that it is started in, or of those that it is given.
    """
