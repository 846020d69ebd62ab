"""Where this user's labs are remembered."""

from __future__ import annotations

import os
from pathlib import Path


def state_home() -> Path:
    """`clusterlab` in the XDG state directory."""
    base = os.environ.get("XDG_STATE_HOME", "")
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".local" / "state") / "clusterlab"


def known_labs() -> list[str]:
    """Names of all labs that have state, sorted."""
    labs = state_home() / "labs"
    return sorted(path.name for path in labs.iterdir() if path.is_dir()) if labs.is_dir() else []
