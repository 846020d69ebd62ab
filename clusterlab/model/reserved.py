"""Names that clusterlab gives to what is its own: no file can have them.

No path has two slashes in a row, so no play file is called so; names of objects with the prefix are refused.
"""

from __future__ import annotations

_MARK = "//"
OBJECT_PREFIX = "clusterlab--"
"""How the names of objects begin that clusterlab creates for itself."""


def reserved(name: str) -> str:
    """The name of a play or image of clusterlab's own that reports show as `name`."""
    return f"clusterlab{_MARK}{name}"


def is_reserved(name: str) -> bool:
    return _MARK in name


def shown(name: str) -> str:
    """A name as results and reports have it: that of a play file is the same there."""
    return name.rpartition(_MARK)[2]
