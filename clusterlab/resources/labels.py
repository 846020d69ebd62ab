"""Whose a Docker object is: its labels alone decide."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from clusterlab.docker_labels import STACK

from .base import LABEL_LAB, LABEL_PLAY, LABEL_SPEC

_OURS = "org.clusterlab."


def spec_hash(wanted: object) -> str:
    """A short name for all that is wanted of an object.

    Equal exactly when that is equal.
    """
    text = json.dumps(wanted, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def labels_for(lab: str, play: str, wanted: object, labels: Mapping[str, object]) -> dict[str, str]:
    """The labels that an object is created with: the play's own, and ours."""
    own = {key: str(value) for key, value in labels.items()}
    return {**own, LABEL_LAB: lab, LABEL_PLAY: play, LABEL_SPEC: spec_hash(wanted)}


def own_labels(labels: Mapping[str, str] | None) -> dict[str, str]:
    """Labels without ours."""
    return {key: value for key, value in (labels or {}).items() if not key.startswith(_OURS)}


def is_ours(lab: str, labels: Mapping[str, str] | None) -> bool:
    return (labels or {}).get(LABEL_LAB) == lab


def is_of_play(lab: str, labels: Mapping[str, str] | None) -> bool:
    """Whether an object is the lab's and no stack's: the kind `stack` has those."""
    return is_ours(lab, labels) and STACK not in (labels or {})


def play_of(labels: Mapping[str, str] | None) -> str | None:
    """The play that an object of ours was created for; None for one of the whole lab."""
    return (labels or {}).get(LABEL_PLAY)


def not_ours(kind: str, name: str, labels: Mapping[str, str] | None, remove: str) -> str:
    """Why a foreign object of that name blocks a change, and what to do."""
    other = (labels or {}).get(LABEL_LAB)
    whose = f"belongs to the lab {other}" if other else "was not created by clusterlab"
    return (
        f"{kind} {name} already exists and {whose}: it is not touched. "
        f"Rename the play's {kind}, or remove the existing one: {remove}"
    )
