"""Why a connection could not be opened, with what to do about it."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable, Sequence

import paramiko

from clusterlab.errors import HostError

from .known_hosts import KnownKey, lookup_name
from .target import Target

_CONNECT_FAILED = 2  # RFC 4254, section 5.1: SSH_OPEN_CONNECT_FAILED


def explain(
    target: Target,
    error: Exception,
    *,
    known: Sequence[KnownKey],
    offered: paramiko.PKey | None,
    tried: Sequence[str],
) -> HostError:
    """What `error`, raised while connecting to `target`, means.

    `known` are the keys on file for it, `offered` is the host key it showed (None when it did not come that far),
    `tried` what it was offered for authentication.
    """
    if isinstance(error, paramiko.BadHostKeyException):
        return _wrong_host_key(target, error.key, known)
    if isinstance(error, paramiko.AuthenticationException):
        return _not_let_in(target, error, tried)
    if isinstance(error, paramiko.ChannelException):
        return _jump_failed(target, error)
    if isinstance(error, OSError):
        return _no_connection(target, error)
    if offered is not None and not known and "not found in known_hosts" in str(error):
        return _unknown_host_key(target, offered)
    return _no_ssh(target, error, offered)


def _where(target: Target) -> str:
    via = f" through {target.jump.name}" if target.jump else ""
    return f"{target.address} port {target.port}{via}"


def _no_connection(target: Target, error: OSError) -> HostError:
    where = _where(target)
    if isinstance(error, socket.gaierror):
        message = f"the name {target.address} cannot be resolved ({error.strerror})"
        remedy = "Correct the address in the inventory, or check this machine's DNS."
    elif isinstance(error, TimeoutError) or error.errno == errno.ETIMEDOUT:
        message = f"{where} does not answer"
        remedy = "Check that the machine is on, that its address is right, and that no firewall drops SSH."
    elif error.errno == errno.ECONNREFUSED:
        message = f"{where} refuses connections: nothing listens there"
        remedy = "Check that sshd runs on the machine (systemctl status ssh), and that the port is right."
    elif error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        message = f"{where} is unreachable ({error.strerror})"
        remedy = "Check that the machine is on, and this machine's routes: ip route get ADDRESS."
    else:
        message = f"{where} cannot be connected to: {error.strerror or error}"
        remedy = f"Try manually: ssh -v -p {target.port} {target.user}@{target.address}"
    return HostError(target.name, message, remedy=remedy)


def _jump_failed(target: Target, error: paramiko.ChannelException) -> HostError:
    jump = target.jump.name if target.jump else "the jump host"
    if error.code == _CONNECT_FAILED:
        return HostError(
            target.name,
            f"the jump host {jump} cannot reach {target.address} port {target.port}",
            remedy=f"Check from {jump} that the machine is on and its sshd listens: "
            f"nc -vz {target.address} {target.port}",
        )
    return HostError(
        target.name,
        f"the jump host {jump} does not forward connections ({error.text})",
        remedy=f"Allow it in {jump}'s /etc/ssh/sshd_config: AllowTcpForwarding yes",
    )


def _unknown_host_key(target: Target, offered: paramiko.PKey) -> HostError:
    files = ", ".join(map(str, target.known_hosts)) or "any known_hosts file"
    shown = f"{offered.get_name()} {offered.fingerprint}"
    return HostError(
        target.name,
        f"its host key is unknown: {shown} is not in {files} under {lookup_name(target)}",
        remedy=target.trust_hint
        or "Compare the fingerprint with the one shown on the machine itself, then add the key to the file.",
    )


def _wrong_host_key(target: Target, offered: paramiko.PKey, known: Sequence[KnownKey]) -> HostError:
    same_type = [key for key in known if key.type == offered.get_name()]
    lines = ", ".join(f"{key.file}:{key.line}" for key in same_type or known)
    shown = f"{offered.get_name()} {offered.fingerprint}"
    if same_type:
        message = f"its host key has CHANGED: it shows {shown}, another than {lines}"
    else:
        types = ", ".join(sorted({key.type for key in known}))
        message = f"its host key is not the known one: it shows {shown}, but {lines} know only {types}"
    files = _unique(str(key.file) for key in same_type or known)
    removal = "; ".join(f"ssh-keygen -R '{lookup_name(target)}' -f '{file}'" for file in files)
    return HostError(
        target.name,
        message,
        remedy="Somebody may be intercepting the connection. Only if you know why the key changed (the machine was "
        f"reinstalled, for example), remove the old one: {removal}",
    )


def _not_let_in(target: Target, error: paramiko.AuthenticationException, tried: Sequence[str]) -> HostError:
    keys = ", ".join(tried) or "no key at all: no agent, and none in ~/.ssh"
    if isinstance(error, paramiko.PasswordRequiredException):
        return HostError(
            target.name,
            f"no key was accepted for user {target.user}, and one has a passphrase (tried {keys})",
            remedy="Add the key to the SSH agent (ssh-add), or name another one in the inventory (ssh: {key: ...}).",
        )
    accepts = ""
    if isinstance(error, paramiko.BadAuthenticationType):
        accepts = f"; it accepts only {', '.join(error.allowed_types)}"
    return HostError(
        target.name,
        f"authentication refused for user {target.user} (tried {keys}){accepts}",
        remedy="Check the user name, and that the key's public part is on the machine in "
        f"~{target.user}/.ssh/authorized_keys.",
    )


def _no_ssh(target: Target, error: Exception, offered: paramiko.PKey | None) -> HostError:
    text = str(error) or type(error).__name__
    if "No authentication methods available" in text:
        return _not_let_in(target, paramiko.AuthenticationException(), ())
    if "banner" in text:
        message = f"{_where(target)} accepts connections, but does not speak SSH (no banner)"
        remedy = (
            "Check the port. A machine that is overloaded, or an sshd with too many half-open logins, does this too."
        )
    elif offered is None and ("No existing session" in text or isinstance(error, EOFError)):
        message = f"{_where(target)} broke off before it had shown its host key"
        remedy = "Try again; if it persists, the machine's log says why: journalctl -u ssh"
    else:
        message = f"SSH with {_where(target)} failed: {text}"
        remedy = f"Try manually: ssh -v -p {target.port} {target.user}@{target.address}"
    return HostError(target.name, message, remedy=remedy)


def _unique(items: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(items))
