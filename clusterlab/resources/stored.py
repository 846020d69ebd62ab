"""What the engine keeps of a container on disk.

API listings leave most of it out.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field

from clusterlab.errors import HostError

from .observed import Json

_UNREADABLE = "cannot be read"


@dataclass(frozen=True)
class Stored:
    """A container from the engine's own files.

    `config` is config.v2.json (Config, State, NetworkSettings, ...), `host_config` hostconfig.json, which
    `docker update` changes.
    """

    config: Json = field(default_factory=dict)
    host_config: Json = field(default_factory=dict)


@dataclass(frozen=True)
class FoundContainer:
    """A container as the engine lists it, and what it keeps of it; of ours only."""

    listed: Json
    stored: Stored


def stored_question(root: str, ids: Sequence[str]) -> str:
    """Script that prints id, file and content of each container's files.

    Those below the engine's root directory.
    """
    folder = shlex.quote(f"{root}/containers")
    return (
        f"cd {folder} || {{ echo {_UNREADABLE}; exit; }}\n"
        f"for id in {' '.join(map(shlex.quote, ids))}; do for file in config.v2 hostconfig; do\n"
        '  [ -r "$id/$file.json" ] || continue\n'
        '  printf "%s %s " "$id" "$file"; tr -d "\\n" < "$id/$file.json"; echo\n'
        "done; done\n"
    )


def stored_in(host: str, answer: str) -> dict[str, Stored]:
    """What the answer to `stored_question` says, by container id.

    Raises HostError when the host cannot say.
    """
    files: dict[str, dict[str, Json]] = {}
    gone: set[str] = set()
    for line in answer.splitlines():
        if line == _UNREADABLE:
            raise HostError(
                host,
                "the engine's files below its root directory cannot be read",
                remedy="Log in as root, or set `ssh: {become: true}` in the inventory for a user who may use sudo.",
            )
        if line:
            name, file, text = line.split(" ", 2)
            try:
                files.setdefault(name, {})[file] = json.loads(text)
            except ValueError:  # removed while it was read
                gone.add(name)
    return {
        name: Stored(found.get("config.v2", {}), found.get("hostconfig", {}))
        for name, found in files.items()
        if name not in gone
    }
