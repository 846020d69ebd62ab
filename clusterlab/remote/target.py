"""How one host is reached."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DOCKER_SOCKET = "/var/run/docker.sock"


@dataclass(frozen=True)
class Target:
    """Where SSH goes for one host, and which host key it must find there.

    `known_hosts` are files in OpenSSH's format; `alias` is the name looked up in them (OpenSSH's HostKeyAlias), by
    default `address`, or `[address]:port` for another port than 22. `trust_hint` is the remedy shown when the key is
    unknown. `engine` is the Unix socket of the host's Docker engine.
    """

    name: str
    address: str
    port: int = 22
    user: str = "root"
    key: Path | None = None
    known_hosts: tuple[Path, ...] = ()
    alias: str | None = None
    jump: Target | None = None
    become: bool = False
    engine: str = DOCKER_SOCKET
    trust_hint: str = ""
