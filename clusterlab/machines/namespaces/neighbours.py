"""Room in this kernel's neighbour table.

All network namespaces share one, and large labs overflow its default size.

Every host has an entry for every other one on each network on which they meet. When the table is full, packets to
neighbours that have no entry yet are dropped. See `gc_thresh2` and `gc_thresh3` in the kernel's ip-sysctl.rst.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from clusterlab.files import write_atomically

_SYSCTL = Path("/proc/sys/net/ipv4/neigh/default")
_RECORD = Path("/run/clusterlab/neighbours.json")
_NETWORKS = 4  # on which all hosts of a lab may meet: its LAN, and overlay networks of its plays
_LIMITS = {"gc_thresh2": 1, "gc_thresh3": 2}
"""Above the first, entries are removed that were not used for five seconds; above the second, none is added."""


@dataclass
class _Record:
    """What existing labs need, and the limits before and after they were raised."""

    needs: dict[str, int] = field(default_factory=dict)
    before: dict[str, int] = field(default_factory=dict)
    raised: dict[str, int] = field(default_factory=dict)


def make_room(lab_folder: Path, hosts: int, sysctl: Path = _SYSCTL, record: Path = _RECORD) -> str:
    """Raise the limits of the table to what this lab and all others need.

    Returns what to set where that is refused.
    """
    with _locked(record):
        return _adapt(lab_folder, _NETWORKS * hosts * hosts, sysctl, record)


def give_back(lab_folder: Path, sysctl: Path = _SYSCTL, record: Path = _RECORD) -> None:
    """Lower the limits to what the other labs need.

    In the end to what they were before the first lab.
    """
    if record.exists():
        with _locked(record):
            _adapt(lab_folder, 0, sysctl, record)


def _adapt(lab_folder: Path, need: int, sysctl: Path, record: Path) -> str:
    """Set the limits to what the labs need.

    One that somebody else has changed meanwhile counts as set before.

    The record is written first: whenever this is killed, the next call knows what was set.
    """
    known = _Record(**json.loads(record.read_text())) if record.exists() else _Record()
    now = {name: int((sysctl / name).read_text()) for name in _LIMITS}
    before = {name: known.before[name] if value == known.raised.get(name) else value for name, value in now.items()}
    needs = {folder: other for folder, other in known.needs.items() if Path(folder).is_dir()} | {str(lab_folder): need}
    total = sum(needs.values())
    wanted = {name: max(before[name], total * factor) for name, factor in _LIMITS.items()}
    changed = _Record({folder: one for folder, one in needs.items() if one}, before, wanted)
    write_atomically(record, json.dumps(vars(changed)))
    try:
        for name in _LIMITS:
            if wanted[name] != now[name]:
                (sysctl / name).write_text(f"{wanted[name]}\n")
    except OSError as error:
        settings = " ".join(f"net.ipv4.neigh.default.{name}={value}" for name, value in wanted.items())
        return f"the neighbour table may overflow ({error.strerror}): sudo sysctl -w {settings}"
    return ""


@contextmanager
def _locked(record: Path) -> Iterator[None]:
    """For one command at a time."""
    record.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    with record.with_suffix(".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
