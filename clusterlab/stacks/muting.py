"""`x-clusterlab` at the top of a stack file: which advice is muted."""

from __future__ import annotations

from .field import Field, texts
from .given import Place

EXTENSION = "x-clusterlab"


def muted(top: Field) -> dict[str, Place]:
    """The keys of advice that a file mutes, and where."""
    if not isinstance(top.value, dict) or EXTENSION not in top.value:
        return {}
    keys = Field(top.value[EXTENSION], (EXTENSION,), top.source).keys({"mute": ""})
    return {given.value: given.place for given in keys.read_list("mute", texts)}
