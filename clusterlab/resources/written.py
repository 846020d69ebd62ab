"""What provision wrote into whole files of a host, by digest: a file that somebody has changed since stays.

The digests are entries of the host's record (record.py), by the path of the file.
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Collection, Mapping, Sequence

from clusterlab.remote import Host

from . import record
from .commands import do
from .observed import Observed

KIND = record.WRITTEN
"""The kind of the entries, and the section of a host's script that prints the digests of now."""


def write(host: Host, lab: str, path: str, content: bytes, mode: int = 0o644) -> None:
    """Make or replace a file, after recording what will be in it.

    Raises HostError.
    """
    record.replace(host, lab, KIND, {path: hashlib.sha256(content).hexdigest()})
    host.write(path, content, mode)


def note(host: Host, lab: str, files: Sequence[str]) -> None:
    """Record what commands have just written into files.

    Raises HostError.
    """
    printed = do(host, _digests_of(files), f"read {', '.join(files)}").stdout
    record.replace(host, lab, KIND, _digests(printed))


def forget(host: Host, lab: str, files: Collection[str]) -> None:
    """Remove the entries of files that were removed or restored.

    Raises HostError.
    """
    record.forget(host, lab, KIND, files)


def questions(at: Observed) -> Mapping[str, str]:
    """A section that prints the digests that the recorded files have now."""
    files = list(record.entries(at, KIND))
    return {KIND: _digests_of(files)} if files else {}


def known(at: Observed, file: str) -> bool:
    """Whether it is recorded what clusterlab wrote into a file."""
    return bool(record.entries(at, KIND).get(file))


def kept(at: Observed, files: Collection[str]) -> str:
    """Why files of one resource stay; "" when they are as clusterlab wrote them, or gone."""
    recorded, now = record.entries(at, KIND), _digests(at.answers.get(KIND, ""))
    changed = [one for one in files if recorded.get(one) and one in now and now[one] != recorded[one]]
    return f"somebody has changed {', '.join(changed)} since" if changed else ""


def _digests_of(files: Sequence[str]) -> str:
    return f'for file in {shlex.join(files)}; do [ ! -e "$file" ] || sha256sum "$file"; done'


def _digests(printed: str) -> dict[str, str]:
    rows = (line.partition("  ") for line in printed.splitlines())
    return {path: digest for digest, _, path in rows}
