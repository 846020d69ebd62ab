"""What kinds of objects have in common that the engine reports with their labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from .kind import ResourceKind
from .labels import is_of_play, play_of
from .observed import Json, labels_of

W = TypeVar("W")


class LabelledKind(ResourceKind[W, Json]):
    """A kind of which an object is whose its labels say."""

    def owns(self, lab: str, found: Json) -> bool:
        return is_of_play(lab, labels_of(found))

    def play(self, found: Json) -> str | None:
        return play_of(labels_of(found))

    def labels(self, found: Json) -> Mapping[str, str]:
        return labels_of(found)
