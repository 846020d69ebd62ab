"""What an inventory and a playbook may say, and every error in them.

Errors have file, line and column.

The names below are imported when they are first used: `import clusterlab.model` alone loads neither pydantic nor YAML.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .lab import Lab
    from .load import load_inventory, load_lab
    from .play_files import play_names
    from .problems import InvalidFiles, Problem
    from .schema import json_schema

__all__ = ["InvalidFiles", "Lab", "Problem", "json_schema", "load_inventory", "load_lab", "play_names"]

_HOMES = {
    "InvalidFiles": "problems",
    "Problem": "problems",
    "Lab": "lab",
    "load_inventory": "load",
    "load_lab": "load",
    "play_names": "play_files",
    "json_schema": "schema",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
