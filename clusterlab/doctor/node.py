"""A node of the Swarm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from .document import Document


@dataclass(frozen=True)
class Node:
    """A node as a manager sees it."""

    id: str
    hostname: str
    address: str
    state: str
    availability: str
    manager: bool
    reachability: str
    labels: Mapping[str, str]
    engine_labels: Mapping[str, str]
    platform: tuple[str, str]  # operating system, architecture
    memory: float
    cpus: float
    version: str
    changed: float | None = None  # Unix time of the last change of its entry


def node_of(one: Document) -> Node:
    """From an entry of the API's /nodes."""
    manager = one.at("ManagerStatus")
    serves = manager.text("Addr", default="").rpartition(":")[0] if not manager.missing else ""
    platform = one.at("Description", "Platform")
    return Node(
        one.text("ID"),
        one.text("Description", "Hostname", default=one.text("ID")[:12]),
        serves or one.text("Status", "Addr", default=""),
        one.text("Status", "State"),
        one.text("Spec", "Availability"),
        not manager.missing,
        manager.text("Reachability", default=""),
        one.texts("Spec", "Labels"),
        one.texts("Description", "Engine", "Labels"),
        (platform.text("OS", default=""), platform.text("Architecture", default="")),
        one.number("Description", "Resources", "MemoryBytes", default=0),
        one.number("Description", "Resources", "NanoCPUs", default=0),
        one.text("Description", "Engine", "EngineVersion", default=""),
        _time(one.text("UpdatedAt", default="")),
    )


def _time(text: str) -> float | None:
    try:
        return datetime.fromisoformat(f"{text[:19]}+00:00").timestamp()
    except ValueError:
        return None
