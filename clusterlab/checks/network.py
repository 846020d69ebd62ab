"""Programs of a host in the network of one of its containers.

They resolve the names that the container knows.

An image needs no shell and no tools for that, and the engine starts no process. What asks is root on the host: where
the container's own user, environment or root directory count, `Asking.run` runs a command as `docker exec` does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_address

from clusterlab.remote.completed import Completed

from .asking import Asking, unanswered
from .place import NoAnswer, Place

ENTERING = ("nsenter", "unshare")
"""The programs that enter a container's network on its host."""

# In a mount namespace of its own: what the container's resolv.conf and hosts say, and nothing but these two. They are
# copied, since files of another mount namespace cannot be bound. Other sources of names (nsswitch.conf(5), such as
# systemd-resolved) and nscd(8) answer for the host, through sockets that no network namespace keeps away.
_NAMES = r"""
from=/proc/$1/root/etc; shift
mount -t tmpfs -o size=1m none /mnt && cp "$from/resolv.conf" "$from/hosts" /mnt || exit 125
echo "hosts: files dns" > /mnt/nsswitch.conf
for file in resolv.conf hosts; do mount --bind "/mnt/$file" "/etc/$file" || exit 125; done
[ ! -e /etc/nsswitch.conf ] || mount --bind /mnt/nsswitch.conf /etc/nsswitch.conf || exit 125
[ ! -S /run/nscd/socket ] || mount --bind /dev/null /run/nscd/socket || exit 125
exec "$@"
"""
_NAMES_SHOWN = (
    "mount -t tmpfs none /mnt && cp /proc/$0/root/etc/resolv.conf /proc/$0/root/etc/hosts /mnt && "
    'for f in resolv.conf hosts; do mount --bind /mnt/$f /etc/$f || exit; done; exec "$@"'
)
_NOT_ENTERED = re.compile(r"(nsenter|unshare|mount|cp): ", re.MULTILINE)


def is_name(target: str) -> bool:
    """Whether a target has to be looked up.

    Not an address, nor what `explain` writes for one (`@...@`).
    """
    try:
        ip_address(target)
    except ValueError:
        return not target.startswith("@")
    return False


def entering(process: object) -> list[str]:
    """The prefix that runs a program in the network of a process.

    The process is given by its id or a shell variable.
    """
    return ["nsenter", f"--net=/proc/{process}/ns/net"]


def shown(process: str, argv: Sequence[str], *, names: bool) -> list[str]:
    """The command as a person types it on the host.

    `process` is the id of the container's.
    """
    named = ["unshare", "--mount", "sh", "-c", _NAMES_SHOWN, process] if names else []
    return [*entering(process), *named, *argv]


def require_entered(place: Place | str, printed: str, typed: str) -> None:
    """Distinguish a failed program from a network not entered; raises NoAnswer.

    `printed` is its last line.
    """
    if _NOT_ENTERED.match(printed):
        raise NoAnswer(
            f"the network of {place} could not be entered: {printed.strip()}",
            command=typed,
            detail=printed,
            remedy="this needs root on the host: log in as root, or set `ssh: {become: true}` in the inventory",
        )


class Networks(Asking):
    """Running programs of hosts in the networks of containers."""

    def in_network(self, place: Place, argv: Sequence[str], *, names: bool, timeout: float = 60.0) -> Completed:
        """Run a program of the host there.

        Its `command` is what a person types on the host.

        In the network of a container, when the place is one; `names` says whether the program looks names up. Raises
        WrongAnswer when the container is missing or does not run, NoAnswer when the host or network cannot be asked.
        """
        if not place.container:
            return self.run(place, argv, timeout=timeout)
        process = self.process(place)
        typed = Place(place.host).typed(shown(process, argv, names=names))
        own_names = ["unshare", "--mount", "--propagation", "private", "sh", "-c", _NAMES, "sh", process]
        with unanswered(typed), self._turns[place.host]:
            completed = self.hosts[place.host].run(
                [*entering(process), *(own_names if names else []), *argv], timeout=timeout
            )
        if not completed.ok:
            require_entered(place, completed.stderr, typed)
        return replace(completed, command=typed)

    def process(self, place: Place) -> str:
        """The id of the process of a container; raises as `in_network` does."""
        with unanswered(f"docker inspect {place.container}"):
            return str(self.inspect(place)["State"]["Pid"])
