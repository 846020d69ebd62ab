"""How the user reaches a host by SSH.

The inventory's `ssh:`, and what OpenSSH makes of the user's configuration.

OpenSSH itself resolves it (`ssh -G`): its configuration has Match, Include and tokens that no library reads in full.
"""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from clusterlab.errors import ClusterlabError, UsageError
from clusterlab.model.inventory import Ssh
from clusterlab.model.lab import Lab
from clusterlab.remote import Target
from clusterlab.remote.target import DOCKER_SOCKET

USER_CONFIG: Path | None = None
"""The configuration file to read instead of ~/.ssh/config and /etc/ssh/ssh_config; for tests."""


def target_of(lab: Lab, name: str) -> Target:
    """How one host of an `existing` lab is reached.

    The host's `ssh:` takes precedence over the lab's, and that over the user's configuration, which is looked up by the
    host's name when it gives a HostName for it, and otherwise for `ssh: {address: ...}` or the LAN address, as in
    `ssh ADDRESS`. Raises UsageError for what cannot be used, as a ProxyCommand.
    """
    host = lab.inventory.hosts[name]
    said = _merged(lab.inventory.ssh, host.ssh)
    destination = said.address or (name if _settings(name).address != name else str(host.address))
    return _target(name, destination, said)


def destination_target(destination: str, name: str = "") -> Target:
    """How a host is reached that is written as for ssh.

    [user@]host[:port], with the user's configuration.

    Raises UsageError for what cannot be used, as a ProxyCommand.
    """
    user, host, port = _parts(destination)
    return _target(name or host, host, Ssh(user=user, port=port))


def is_configured(name: str) -> bool:
    """Whether the user's configuration gives a HostName for this host."""
    return _settings(name).address != name


def _merged(lab: Ssh, host: Ssh) -> Ssh:
    """The host's settings over those of the lab."""
    return lab.model_copy(update={key: value for key, value in host if value is not None})


def _target(name: str, destination: str, said: Ssh) -> Target:
    found = _settings(destination, said.user, said.port)
    if found.proxy_command and not said.jump:
        raise UsageError(
            f"{name}: your SSH configuration reaches {destination} through a ProxyCommand, which is not supported",
            remedy="Use ProxyJump there, or `ssh: {jump: USER@HOST}` in the inventory.",
        )
    known_hosts = (said.known_hosts.expanduser(),) if said.known_hosts else found.known_hosts
    jump = said.jump or found.jump
    become = said.become if said.become is not None else found.user != "root"
    return Target(
        name=name,
        address=found.address,
        port=found.port,
        user=found.user,
        key=said.key.expanduser() if said.key else found.key,
        known_hosts=known_hosts,
        alias=found.alias,
        jump=_jump(jump.split(",")) if jump else None,
        become=become,
        engine=str(said.docker_socket) if said.docker_socket else DOCKER_SOCKET,
        trust_hint=_trust_hint(destination, found, said, known_hosts),
    )


def _jump(hops: Sequence[str], behind: tuple[str, ...] = ()) -> Target:
    """The last of the jump hosts, which is reached through the others.

    `behind` are those that it leads to.
    """
    user, host, port = _parts(hops[-1])
    if host in behind:
        raise UsageError(
            f"your SSH configuration goes round in circles: {host} is reached through {host}",
            remedy="Correct the ProxyJump lines there.",
        )
    found = _settings(host, user, port)
    earlier = hops[:-1] or (found.jump.split(",") if found.jump else [])
    return Target(
        name=host,
        address=found.address,
        port=found.port,
        user=found.user,
        key=found.key,
        known_hosts=found.known_hosts,
        alias=found.alias,
        jump=_jump(earlier, (*behind, host)) if earlier else None,
        trust_hint=_trust_hint(hops[-1] if not port else f"-p {port} {found.user}@{host}", found, Ssh(), ()),
    )


def _parts(hop: str) -> tuple[str | None, str, int | None]:
    """User, host and port of [user@]host[:port].

    The host may be an IPv6 address in brackets.
    """
    user, _, rest = hop.removeprefix("ssh://").rpartition("@")
    host, colon, port = rest.rpartition(":")
    if not colon or host.startswith("[") != host.endswith("]"):
        host, port = rest, ""
    return user or None, host.strip("[]"), int(port) if port else None


def _trust_hint(destination: str, found: _Settings, said: Ssh, known_hosts: Sequence[Path]) -> str:
    options = ["-p", str(found.port)] if said.port else []
    if said.known_hosts:
        options += ["-o", f"UserKnownHostsFile={known_hosts[0]}"]
    user = [f"{said.user}@{destination}"] if said.user else shlex.split(destination)
    command = shlex.join(["ssh", *options, *user, "exit"])
    return (
        "On the machine itself, `for key in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf $key; done` shows its "
        f"fingerprints. If this one is among them, accept it: {command}"
    )


@dataclass(frozen=True)
class _Settings:
    """What OpenSSH would do for a destination."""

    address: str
    port: int
    user: str
    key: Path | None  # None: the agent's keys, and the default ones
    known_hosts: tuple[Path, ...]
    alias: str | None
    jump: str | None
    proxy_command: str | None


def _settings(destination: str, user: str | None = None, port: int | None = None) -> _Settings:
    lines = _ssh_g(destination, user, port)
    keys = tuple(lines["identityfile"])
    first = {key: values[0] for key, values in lines.items()}
    files = shlex.split(first["userknownhostsfile"]) + shlex.split(first["globalknownhostsfile"])
    return _Settings(
        address=first["hostname"],
        port=int(first["port"]),
        user=first["user"],
        key=None if keys == _default_keys() else _first_usable(keys),
        known_hosts=tuple(Path(file).expanduser() for file in files if file != "none"),
        alias=first.get("hostkeyalias"),
        jump=_unless_none(first.get("proxyjump")),
        proxy_command=_unless_none(first.get("proxycommand")),
    )


def _unless_none(value: str | None) -> str | None:
    return None if value in (None, "none") else value


def _first_usable(keys: Sequence[str]) -> Path:
    """The first key file that exists, or whose public part does; else the first.

    The agent may hold the key of a public part.
    """
    paths = [Path(key).expanduser() for key in keys]
    return next((path for path in paths if path.exists() or path.with_name(path.name + ".pub").exists()), paths[0])


@cache
def _default_keys() -> tuple[str, ...]:
    """What OpenSSH would try without any configuration."""
    return tuple(_run_ssh(["-F", "none", "-G", "--", "localhost"])["identityfile"])


def _ssh_g(destination: str, user: str | None, port: int | None) -> dict[str, list[str]]:
    options = ["-F", str(USER_CONFIG)] if USER_CONFIG else []
    options += ["-l", user] if user else []
    options += ["-p", str(port)] if port else []
    return _run_ssh([*options, "-G", "--", destination])


def _run_ssh(arguments: list[str]) -> dict[str, list[str]]:
    """What `ssh -G` prints: keys in lower case, each with all its values."""
    try:
        done = subprocess.run(
            ["ssh", *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=30, check=False
        )
    except FileNotFoundError:
        raise ClusterlabError(
            "OpenSSH's client is not installed here", remedy="apt-get install openssh-client"
        ) from None
    except subprocess.TimeoutExpired:
        raise ClusterlabError(f"`ssh {shlex.join(arguments)}` did not end within 30 s") from None
    if done.returncode != 0:
        raise UsageError(
            f"your SSH configuration cannot be read for {arguments[-1]}",
            remedy="Correct it: the message below says where.",
            detail=done.stderr.strip(),
        )
    lines: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        key, _, value = line.partition(" ")
        lines.setdefault(key, []).append(value)
    return lines
