"""Asking an engine, and saying what to do when it refuses."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from clusterlab.remote import Host
from clusterlab.remote.engine_errors import engine_errors

_MOUNT = r"(failed to mount local volume|error while mounting volume)[\s\S]*"
REMEDIES = (
    (
        _MOUNT + r"(connection refused|no route to host|timed out|host is down|network is unreachable)",
        "the NFS server does not answer, so the volume cannot be mounted",
        "Start the server, or run `clusterlab provision`; the engine does not try again by itself: repeat the command.",
    ),
    (
        _MOUNT + r"(access denied|permission denied|operation not permitted)",
        "the NFS server does not let this host mount the export",
        "See `clients` and `options` of the export in the inventory, then run `clusterlab provision`; on the server "
        "`exportfs -v` lists what is exported to whom.",
    ),
    (
        r"/dev/disk/by-path/ip-[^ ]+-iscsi-[\s\S]*no such file or directory",
        "the volume's disk is not there: the host is not logged in to it",
        "Run `clusterlab apply`; `iscsiadm -m session` there shows what it is logged in to.",
    ),
    (
        _MOUNT + r"no such file or directory",
        "the NFS server does not export the volume's device, or a folder to bind is missing",
        "`showmount -e SERVER` lists the exports; correct `device` in the play or the exports in the inventory.",
    ),
    (
        _MOUNT + r"(no such device|unknown filesystem|protocol not supported)",
        "the kernel of this host, or the server, lacks this file system or this version of it",
        "Load it there (`modprobe nfs`), or choose another `nfsvers=`.",
    ),
    (
        _MOUNT + r"invalid argument",
        "the kernel does not accept the volume's options",
        "Check `o` and `device`; a host name in `addr=` works for the types nfs and cifs only: give an address.",
    ),
    (
        r"port is already allocated|address already in use(?! on network)",
        "a port that it publishes is taken",
        "`ss -ltnp` there shows by whom; publish another port.",
    ),
    (
        r"pool overlaps|overlaps with other|non-overlapping",
        "its subnet overlaps an existing one",
        "Choose another `ipam.config.subnet`; `ip route` and `docker network inspect` there show what is taken.",
    ),
    (
        r"not a swarm manager|not part of a swarm|swarm does not have a leader|no longer a swarm manager",
        "this host does not manage a Swarm",
        "Run `clusterlab provision`.",
    ),
    (
        r"executable file not found|exec:.*no such file|no command specified",
        "its command does not exist in the image",
        "Check `command` and `entrypoint` in the play.",
    ),
    (
        r"is in use by task",
        "a task that the Swarm counts on one of its nodes still uses it",
        "`docker node ls` on a manager shows a node that is down: make it ready again (`clusterlab provision`), or, "
        "when it is gone for good, run `docker node rm --force NODE` there; then run the same command again.",
    ),
    (
        r"volume is in use|has active endpoints|is in use by",
        "something that clusterlab did not make still uses it",
        "`docker ps -a` there shows what; remove that first.",
    ),
)


@contextmanager
def engine(host: Host, doing: str, *, hangs: str = "", remedy: str = "") -> Iterator[Any]:
    """The Docker API of `host`, for what completes "cannot ...".

    A docker.APIClient; its stubs lack half of it.

    Raises what `engine_errors` raises, knowing what refusals of volumes, networks and containers mean: `hangs` says
    what silence usually means, `remedy` what to do when nothing better is known.
    """
    with engine_errors(host, doing, remedy, hangs=hangs, remedies=REMEDIES):
        yield host.docker


def shell(*commands: Sequence[str]) -> str:
    """Commands in the order in which a person would type them."""
    return " && ".join(shlex.join(command) for command in commands)


def flags(flag: str, values: Sequence[object]) -> list[str]:
    """`flag` once for each value."""
    return [word for value in values for word in (flag, str(value))]


def pairs(flag: str, values: dict[str, str]) -> list[str]:
    """`flag key=value` for each item."""
    return flags(flag, [f"{key}={value}" for key, value in values.items()])
