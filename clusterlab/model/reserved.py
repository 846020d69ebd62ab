"""Names that clusterlab gives to what is its own: no file can have them, as no path has two slashes in a row."""

from __future__ import annotations

_MARK = "//"


def reserved(name: str) -> str:
    """The name of a play or image of clusterlab's own that reports show as `name`."""
    return f"clusterlab{_MARK}{name}"


def is_reserved(name: str) -> bool:
    return _MARK in name


def shown(name: str) -> str:
    """A name as results and reports have it: that of a play file is the same there."""
    return name.rpartition(_MARK)[2]
