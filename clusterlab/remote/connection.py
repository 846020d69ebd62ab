"""Opening a Fabric connection that accepts only the known host key.

Fabric sets Paramiko's AutoAddPolicy and reads no known_hosts, and it reads its own and OpenSSH's configuration files
from the home directory: here the keys and the policy are set before `open`, and no file is read that the target does
not name.
"""

from __future__ import annotations

import base64
import functools
import logging
import socket
import threading
from collections.abc import Iterable, Sequence
from typing import Any

import fabric
import paramiko
from fabric.config import Config

from clusterlab.errors import HostError

from .attempt import Attempt
from .connect_errors import explain
from .identity import identity
from .known_hosts import SSH_PORT, KnownKey, known_keys
from .target import Target
from .transport import Transport

CONNECT_SECONDS = 20  # for TCP, and again for the key exchange; a machine under emulation needs several seconds
BANNER_SECONDS = 20
AUTH_SECONDS = 30
CHANNEL_SECONDS = 30
KEEPALIVE_SECONDS = 10
DEAD_SECONDS = 30  # unacknowledged for this long, a connection counts as lost

# Paramiko logs every failure of a connection to standard error by default; the exceptions say the same.
logging.getLogger("paramiko").setLevel(logging.CRITICAL)


class Connections:
    """Opens connections, and keeps one per jump host for all the hosts behind it.

    Safe to use from several threads.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[Target, threading.Lock] = {}
        self._jumps: dict[Target, fabric.Connection] = {}
        self._attempts: dict[Attempt, Target] = {}
        self._stopped = False

    def open(self, target: Target) -> fabric.Connection:
        """A new connection to `target`, through its jump hosts if it has any.

        Raises HostError saying why it could not be opened and what to do.
        """
        attempt = Attempt()
        with self._guard:
            if self._stopped:
                attempt.finish()
                raise HostError(target.name, "its connections are closed")
            self._attempts[attempt] = target
        try:
            return _open(target, self._jump(target.jump) if target.jump else None, attempt)
        finally:
            with self._guard:
                del self._attempts[attempt]
            attempt.finish()

    def cancel(self, target: Target) -> None:
        """End the attempts to connect to `target` that are under way."""
        with self._guard:
            attempts = [attempt for attempt, other in self._attempts.items() if other == target]
        for attempt in attempts:
            attempt.cancel()

    def stop(self) -> None:
        """End all attempts to connect, and refuse new ones."""
        with self._guard:
            self._stopped = True
            attempts = list(self._attempts)
        for attempt in attempts:
            attempt.cancel()

    def _jump(self, target: Target) -> fabric.Connection:
        with self._guard:
            lock = self._locks.setdefault(target, threading.Lock())
        with lock:
            known = self._jumps.get(target)
            if known is None or not is_alive(known):
                known = self._jumps[target] = self.open(target)
            return known

    def close(self) -> None:
        """Close the connections to jump hosts.

        Those to the hosts behind them are their owners'.
        """
        for connection in self._jumps.values():
            close(connection)
        self._jumps.clear()


def is_alive(connection: fabric.Connection) -> bool:
    """Whether the connection was still there when last heard of."""
    return bool(connection.is_connected)


def close(connection: fabric.Connection) -> None:
    """Close it, also when it was never fully opened.

    Fabric's own `close` does nothing then.
    """
    connection.client.close()


def _open(target: Target, jump: fabric.Connection | None, attempt: Attempt) -> fabric.Connection:
    known = known_keys(target)
    who = identity(target)
    try:
        dialled = {} if jump is not None else {"sock": attempt.dial(target.address, target.port, CONNECT_SECONDS)}
    except OSError as error:
        if attempt.cancelled:
            raise _cancelled(target) from error
        raise explain(target, error, known=known, offered=None, tried=who.tried) from error
    connection = fabric.Connection(
        target.address,
        user=target.user,
        port=target.port,
        config=Config(lazy=True, ssh_config=paramiko.SSHConfig()),
        gateway=jump if jump is not None else False,
        forward_agent=False,
        connect_timeout=CONNECT_SECONDS,
        connect_kwargs={
            **who.arguments(),
            **dialled,
            "banner_timeout": BANNER_SECONDS,
            "auth_timeout": AUTH_SECONDS,
            "channel_timeout": CHANNEL_SECONDS,
            "transport_factory": functools.partial(_transport, known=known),
        },
    )
    connection.client.set_missing_host_key_policy(paramiko.RejectPolicy())
    _trust(connection, target, known)
    if jump is not None:
        attempt.ends_with(lambda: close(connection))
    try:
        connection.open()
    except (paramiko.SSHException, OSError, EOFError) as error:
        offered = _offered_key(connection)
        close(connection)
        for sock in dialled.values():
            sock.close()
        if attempt.cancelled:
            raise _cancelled(target) from error
        raise explain(target, error, known=known, offered=offered, tried=who.tried) from error
    _refuse_revoked(connection, target, known)
    _notice_when_lost(connection.transport)
    return connection


def _cancelled(target: Target) -> HostError:
    return HostError(target.name, "connecting to it was abandoned: the command is ending")


def _trust(connection: fabric.Connection, target: Target, known: Iterable[KnownKey]) -> None:
    """Give Paramiko the keys under the name that it will look up.

    It knows no aliases.
    """
    name = target.address if target.port == SSH_PORT else f"[{target.address}]:{target.port}"
    keys = connection.client.get_host_keys()
    for known_key in known:
        if not known_key.revoked and (key := _public_key(known_key)) is not None:
            keys.add(name, known_key.type, key)


def _public_key(known: KnownKey) -> paramiko.PKey | None:
    try:
        return paramiko.PKey.from_type_string(known.type, base64.b64decode(known.body))
    except (paramiko.SSHException, paramiko.pkey.UnknownKeyType, ValueError):
        return None  # a type that Paramiko does not speak (sk-..., ssh-dss): it is not negotiated either


def _transport(
    sock: Any, disabled_algorithms: dict[str, Iterable[str]] | None = None, *, known: Sequence[KnownKey]
) -> paramiko.Transport:
    """A transport that asks for a host key of a type that is known, before any other.

    Otherwise a host known by its ed25519 key alone could present its ecdsa key, and seem to be unknown.
    """
    transport = Transport(sock, disabled_algorithms=disabled_algorithms)
    options = transport.get_security_options()
    types = {known_key.type for known_key in known if not known_key.revoked}
    if "ssh-rsa" in types:
        types |= {"rsa-sha2-512", "rsa-sha2-256"}  # the same key, signing with another hash
    options.key_types = sorted(options.key_types, key=lambda name: name not in types)
    return transport


def _offered_key(connection: fabric.Connection) -> paramiko.PKey | None:
    transport = connection.client.get_transport()
    if transport is None:
        return None
    try:
        key: paramiko.PKey = transport.get_remote_server_key()
        return key
    except paramiko.SSHException:  # the key exchange did not come that far
        return None


def _refuse_revoked(connection: fabric.Connection, target: Target, known: Iterable[KnownKey]) -> None:
    body = base64.b64encode(connection.transport.get_remote_server_key().asbytes()).decode()
    for key in known:
        if key.revoked and key.body == body:
            close(connection)
            raise HostError(
                target.name,
                f"its host key is revoked in {key.file}:{key.line}",
                remedy="Give the host a new key (ssh-keygen -A after removing the old one) and make it known.",
            )


def _notice_when_lost(transport: paramiko.Transport) -> None:
    transport.set_keepalive(KEEPALIVE_SECONDS)
    if isinstance(
        transport.sock, socket.socket
    ):  # through a jump host it is a channel, and the jump's socket does this
        transport.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_SECONDS * 1000)
