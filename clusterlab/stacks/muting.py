"""`x-clusterlab` at the top of a stack file: which advice is muted."""

from __future__ import annotations

from .field import Field, texts

EXTENSION = "x-clusterlab"


def muted(top: Field) -> frozenset[str]:
    """The keys of advice that a file mutes."""
    if not isinstance(top.value, dict) or EXTENSION not in top.value:
        return frozenset()
    keys = Field(top.value[EXTENSION], (EXTENSION,), top.source).keys({"mute": ""})
    return frozenset(given.value for given in keys.read_list("mute", texts))
