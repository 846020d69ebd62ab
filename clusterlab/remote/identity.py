"""With which keys a user is authenticated, without ever asking for a passphrase."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from pathlib import Path

import paramiko

from clusterlab.errors import HostError

from .target import Target

DEFAULT_KEYS = ("id_rsa", "id_ecdsa", "id_ed25519")
"""What Paramiko looks for in ~/.ssh when no key is given."""


@dataclass(frozen=True)
class Identity:
    """The key to use, or none.

    Then the agent's keys and the user's default ones are tried.
    """

    key: paramiko.PKey | None
    tried: tuple[str, ...]  # for people: what was, or will be, offered

    def arguments(self) -> dict[str, object]:
        """For `paramiko.SSHClient.connect`."""
        given = self.key is not None
        return {"pkey": self.key, "allow_agent": not given, "look_for_keys": not given}


def identity(target: Target) -> Identity:
    """The target's key file, the agent's twin of it, or whatever the user has.

    Raises HostError when a key file was named and it is missing, unreadable, or has a passphrase and no agent holds it.
    """
    if target.key is None:
        return Identity(None, _default_keys())
    path = target.key.expanduser()
    try:
        return Identity(paramiko.PKey.from_path(path), (str(path),))
    except FileNotFoundError:
        problem, remedy = f"the key file {path} does not exist", "Correct the path, or create the key with ssh-keygen."
    except OSError as error:
        problem, remedy = (
            f"the key file {path} cannot be read: {error.strerror}",
            f"Check who may read it: ls -l {path}",
        )
    except TypeError:  # what cryptography raises for a missing passphrase
        problem = f"the key file {path} has a passphrase, and no SSH agent holds this key"
        remedy = f"Add it to the agent: ssh-add {path}"
    except (ValueError, paramiko.SSHException, paramiko.pkey.UnknownKeyType) as error:
        problem, remedy = f"the key file {path} is not a usable private key ({error})", "Name an OpenSSH private key."
    held = _in_agent(path)
    if held is None:
        raise HostError(target.name, problem, remedy=remedy)
    return Identity(held, (f"{path} (from the SSH agent)",))


def _in_agent(path: Path) -> paramiko.PKey | None:
    """The agent's key whose public part lies next to `path` in a .pub file."""
    try:
        public = base64.b64decode(path.with_name(path.name + ".pub").read_text().split()[1])
    except (OSError, IndexError, UnicodeDecodeError, binascii.Error):
        return None
    return next((key for key in _agent_keys() if key.asbytes() == public), None)


def _agent_keys() -> tuple[paramiko.PKey, ...]:
    try:
        return tuple(paramiko.Agent().get_keys())
    except (paramiko.SSHException, OSError):
        return ()


def _default_keys() -> tuple[str, ...]:
    files = (Path.home() / ".ssh" / name for name in DEFAULT_KEYS)
    return (
        *(f"the agent's {key.fingerprint}" for key in _agent_keys()),
        *(str(file) for file in files if file.is_file()),
    )
