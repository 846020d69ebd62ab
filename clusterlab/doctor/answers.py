"""The raw answers of one host.

JSON-compatible, so that they can be recorded and diagnosed again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Part:
    """What one section of the fact script printed, and how it ended.

    Its exit code, and the last line of its standard error.
    """

    text: str
    exit: int
    error: str = ""


@dataclass(frozen=True)
class Answers:
    """What one host and its engine answered; what was not asked is absent."""

    host: str
    address: str = ""  # by the inventory, or what SSH connects to
    unreachable: str = ""  # why no command runs there
    no_script: str = ""  # why the fact script gave no answer, though the host is reached
    engine: bool = True  # whether an engine is expected there
    swarm: bool = False  # whether the inventory has it in the Swarm
    engine_down: str = ""  # why its engine does not answer
    engine_silent: bool = False  # it is there, and does not answer in time
    api: Mapping[str, Any] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)  # why the engine refused a request, by its name
    parts: Mapping[str, Part] = field(default_factory=dict)
    asked_at: float = 0.0  # this computer's clock (Unix time) in the middle of the clock's round trip
    round_trip: float = 0.0  # seconds
    probing: tuple[float, float] = (0.0, 0.0)  # when the probes began and ended, by this computer's monotonic clock

    def recorded(self) -> dict[str, Any]:
        """As JSON-compatible data."""
        return asdict(self)


def replayed(data: Mapping[str, Any]) -> Answers:
    """The answers that `recorded` returned."""
    parts = {name: Part(**part) for name, part in data.get("parts", {}).items()}
    return Answers(**{**data, "parts": parts})
