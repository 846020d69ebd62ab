"""The reference as Markdown, from registries and the models of the files.

The registries of verbs and kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from . import commands, faults, models

PAGES: Mapping[str, Callable[[], str]] = {
    "commands": commands.page,
    "checks": models.checks_page,
    "faults": faults.page,
    "inventory": models.inventory_page,
    "plays": models.plays_page,
}
"""Pages by their name."""
