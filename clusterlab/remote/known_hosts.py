"""Which host keys are trusted for a host.

OpenSSH's known_hosts files, with the line that each key stands on.

Paramiko reads these files too, but forgets where a key stood, knows no patterns, and takes no notice of `@revoked`.
The format is described in sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from .target import Target

SSH_PORT = 22


@dataclass(frozen=True)
class KnownKey:
    """One line about a host: its key's type and body (base64), and where it stands."""

    file: Path
    line: int
    type: str
    body: str
    revoked: bool = False


def lookup_name(target: Target) -> str:
    """The name searched for in the files.

    The alias, the address, or `[address]:port` for another port than 22.
    """
    if target.alias:
        return target.alias
    return target.address if target.port == SSH_PORT else f"[{target.address}]:{target.port}"


def known_keys(target: Target) -> list[KnownKey]:
    """Every line about `target` in its known_hosts files, in their order.

    Files that do not exist say nothing.
    """
    name = lookup_name(target).lower()
    return [key for file in target.known_hosts for key in _keys_in(file, name)]


def _keys_in(file: Path, name: str) -> Iterator[KnownKey]:
    try:
        lines = file.read_text(errors="replace").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return
    for number, line in enumerate(lines, start=1):
        fields = line.split()
        marker = fields.pop(0) if fields and fields[0].startswith("@") else ""
        if len(fields) < 3 or fields[0].startswith("#") or marker not in ("", "@revoked"):
            continue  # certificate authorities included: Paramiko cannot check host certificates
        if _matches(fields[0].split(","), name) and _is_base64(fields[2]):
            yield KnownKey(file, number, fields[1], fields[2], revoked=bool(marker))


def _matches(patterns: Iterable[str], name: str) -> bool:
    """Whether a line's host field names the host.

    A pattern with `!` excludes it whatever the others say.
    """
    found = False
    for pattern in patterns:
        if pattern.startswith("|1|"):
            found = found or _matches_hash(pattern, name)
        elif pattern.startswith("!"):
            if _matches_pattern(pattern[1:], name):
                return False
        else:
            found = found or _matches_pattern(pattern, name)
    return found


def _matches_pattern(pattern: str, name: str) -> bool:
    # OpenSSH knows only * and ?; a bracket stands for itself, as in [address]:port.
    return fnmatchcase(name, pattern.lower().replace("[", "[[]"))


def _matches_hash(pattern: str, name: str) -> bool:
    try:
        salt, digest = (base64.b64decode(part) for part in pattern.split("|")[2:4])
    except (ValueError, binascii.Error):
        return False
    return hmac.compare_digest(digest, hmac.new(salt, name.encode(), hashlib.sha1).digest())


def _is_base64(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True))
    except binascii.Error:
        return False
