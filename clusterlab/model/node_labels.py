"""Labels that the Swarm gives a node, as constraints of services name them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import Field

from .base import Issue

NodeLabels = Annotated[
    dict[str, str],
    Field(
        default_factory=dict,
        description="labels of the Swarm's node, for constraints such as node.labels.disk == ssd; other labels that it "
        "has stay",
        examples=[{"disk": "ssd"}],
    ),
]
_RESERVED = ("org.clusterlab.", "com.docker.", "io.docker.", "org.dockerproject.")
_KEY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9])?")


def issues(labels: Mapping[str, str]) -> Iterator[Issue]:
    """Keys that constraints cannot name, or that are somebody else's."""
    for key in labels:
        if not _KEY.fullmatch(key):
            remedy = "Use letters, digits, dots, - and _, for example disk."
            yield Issue(("labels", key), f"'{key}' is not a label that constraints can name", remedy, key=True)
        elif key.startswith(_RESERVED):
            yield Issue(("labels", key), f"'{key}' is reserved", "Use another prefix.", key=True)
