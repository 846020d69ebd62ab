"""The same targets for OpenSSH's own client, and for what is built on it.

Ssh, scp, rsync, Ansible.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from .known_hosts import lookup_name
from .target import Target


def ssh_config(targets: Mapping[str, Target]) -> str:
    """An OpenSSH configuration with one block per host and one per jump host.

    The latter under the name `NAME-jump`.
    """
    return "\n".join(_block(name, target) for name, target in targets.items())


def ssh_argv(target: Target, command: Sequence[str] = ()) -> list[str]:
    """The arguments that run OpenSSH's client for `target`, and there `command`.

    A shell when `command` is empty.

    One word is a command line for the login shell there, as it is for ssh; several are one command with its
    arguments, each arriving as it is. No configuration file is read.
    """
    options = [part for key, value in _options(target) for part in ("-o", f"{key}={value}")]
    if target.jump:
        through = [*ssh_argv(target.jump)[:-2], "-W", f"[{target.address}]:{target.port}", "--", target.jump.address]
        options += ["-o", "ProxyCommand=" + shlex.join(through).replace("%", "%%")]  # OpenSSH expands it once more
    remote = [command[0] if len(command) == 1 else shlex.join(command)] if command else []
    return ["ssh", "-F", "none", *options, "--", target.address, *remote]


def _block(name: str, target: Target) -> str:
    lines = [f"Host {name}", f"  HostName {target.address}"]
    lines += [f"  {key} {value}" for key, value in _options(target)]
    if target.jump is None:
        return "\n".join(lines) + "\n"
    return "\n".join([*lines, f"  ProxyJump {name}-jump"]) + "\n\n" + _block(f"{name}-jump", target.jump)


def _options(target: Target) -> list[tuple[str, str]]:
    files = " ".join(map(_path, target.known_hosts)) or "/dev/null"
    options = [
        ("Port", str(target.port)),
        ("User", target.user),
        ("StrictHostKeyChecking", "yes"),
        ("UserKnownHostsFile", files),
        ("GlobalKnownHostsFile", "/dev/null"),
        ("UpdateHostKeys", "no"),
        # Always said: without it OpenSSH would also take a key known for the address without its port.
        ("HostKeyAlias", lookup_name(target)),
    ]
    if target.key:
        options += [("IdentityFile", _path(target.key)), ("IdentitiesOnly", "yes")]
    return options


def _path(path: Path) -> str:
    """A path as a value of OpenSSH's configuration.

    It expands % sequences, and takes spaces as the end of the value.
    """
    text = os.path.abspath(path.expanduser()).replace("%", "%%")
    return f'"{text}"' if any(character in text for character in " \t#") else text
