"""`x-clusterlab` at the top of a stack file.

Which advice is muted, and which statements are turned off.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .field import Field, texts
from .given import Place

EXTENSION = "x-clusterlab"


@dataclass(frozen=True)
class TurnedOff:
    """The keys of advice and statements that files turn off, and where."""

    mute: Mapping[str, Place] = field(default_factory=dict)
    without: Mapping[str, Place] = field(default_factory=dict)


def turned_off(top: Field) -> TurnedOff:
    """What `x-clusterlab` of a file says."""
    if not isinstance(top.value, dict) or EXTENSION not in top.value:
        return TurnedOff()
    keys = Field(top.value[EXTENSION], (EXTENSION,), top.source).keys({"mute": "", "without": ""})
    mute, without = ({given.value: given.place for given in keys.read_list(key, texts)} for key in ("mute", "without"))
    return TurnedOff(mute, without)
