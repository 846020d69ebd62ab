"""On which TCP ports processes listen, and which connections they have.

/proc/PID/net/tcp, proc_pid_net(5).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from .places import Places
from .swarm_task import Task, by_host, run_for

_DNS = ip_address("127.0.0.11")  # Docker's DNS listens there in each container that is on a network of its own
_EPHEMERAL = 32768  # from here on a port may be another one after the next start
_LISTENS = "0A"
_ENDED = "06"  # TIME_WAIT: nobody has it any longer
_LINE = re.compile(r"^ *\d+: ([0-9A-F]+):([0-9A-F]{4}) [0-9A-F]+:([0-9A-F]{4}) ([0-9A-F]{2}) ", re.MULTILINE)
_SCRIPT = """
for pid; do
  echo "pid $pid"
  if ! cat "/proc/$pid/net/tcp" 2>/dev/null; then echo "gone $pid"; continue; fi
  cat "/proc/$pid/net/tcp6" 2>/dev/null || true
done
"""


@dataclass(frozen=True)
class Socket:
    """A listening socket; the address is unspecified for one on all addresses."""

    address: IPv4Address | IPv6Address
    port: int

    def serves(self, address: str) -> bool:
        """Whether it takes connections to an IPv4 address."""
        mapped = getattr(self.address, "ipv4_mapped", None) or self.address
        return mapped.is_unspecified or str(mapped) == address


def listening(tasks: Sequence[Task], places: Places) -> Mapping[Task, frozenset[Socket]]:
    """The sockets on which tasks listen, those on loopback among them.

    One command for each host.
    """
    return {task: parse(table) for task, table in tables(tasks, places).items()}


def tables(tasks: Sequence[Task], places: Places) -> Mapping[Task, str]:
    """What the kernel lists of the sockets in the networks of tasks.

    One command for each host.
    """
    found: dict[Task, str] = {}
    for here in by_host(tasks).values():
        text = run_for(here, _SCRIPT, places).stdout
        for part in text.split("pid ")[1:]:
            pid, _, table = part.partition("\n")
            found |= {task: table for task in here if task.pid == int(pid)}
    return found


def connections(table: str) -> frozenset[tuple[int, int]]:
    """The connections in such a table that somebody has.

    Each is its own port, and that of the other end.
    """
    lines = _LINE.findall(table)
    return frozenset(
        (int(port, 16), int(other, 16)) for _, port, other, state in lines if state not in (_LISTENS, _ENDED)
    )


def ports(sockets: Mapping[Task, frozenset[Socket]], task: Task, address: str) -> list[int]:
    """The ports that must be open at an address of a task.

    Those on which it listens there, and those below 32768 on which any task of its service listens on all addresses.
    """
    own = {socket.port for socket in sockets[task] if socket.serves(address)}
    common = {one.port for all_ in sockets.values() for one in all_ if one.serves("") and one.port < _EPHEMERAL}
    return sorted(own | common)


def on_loopback_alone(sockets: Collection[Socket]) -> list[int]:
    """The ports of those that nobody else can reach.

    None when there is any that others can.
    """
    if not all(_is_loopback(one.address) for one in sockets):
        return []
    return sorted({one.port for one in sockets})


def _is_loopback(address: IPv4Address | IPv6Address) -> bool:
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def parse(table: str) -> frozenset[Socket]:
    """The listening sockets in the text of /proc/PID/net/tcp and tcp6.

    Without that of Docker's DNS.
    """
    found = set()
    for address, port, _, state in _LINE.findall(table):
        socket = Socket(_address(address), int(port, 16))
        if state == _LISTENS and socket.address != _DNS:
            found.add(socket)
    return frozenset(found)


def _address(text: str) -> IPv4Address | IPv6Address:
    """An address as the kernel prints it.

    Words of 32 bits in the host's byte order, here little-endian.
    """
    words = [bytes.fromhex(text[at : at + 8])[::-1] for at in range(0, len(text), 8)]
    return ip_address(b"".join(words))
