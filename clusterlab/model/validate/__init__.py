"""What can only be seen with the inventory and the plays side by side.

Each module has one idea and a function `problems(files)` that yields what is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..problems import Problem
from . import checks, disks, drills, external, hosts, names, networks, nfs, places, swarm, swarm_files, volumes
from .files import Files, PlayFile

__all__ = ["Files", "PlayFile", "problems_together"]


def problems_together(files: Files) -> Iterator[Problem]:
    """Everything that is wrong between files that are right each for itself."""
    for idea in (hosts, swarm, places, names, volumes, nfs, disks, networks, swarm_files, external, checks, drills):
        yield from idea.problems(files)
