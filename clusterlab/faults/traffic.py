"""The faults `delay` and `rate`: what a host sends on the LAN is late, or slow."""

from __future__ import annotations

from abc import abstractmethod
from typing import Generic, TypeVar

from pydantic import Field

from clusterlab.model.base import Duration

from . import card
from .errors import NoEffect
from .kind import REFUSED, UNSUPPORTED, Before, FaultKind, HostParameters, OnHost, Seen
from .scene import Scene

P = TypeVar("P", bound=HostParameters)

_HANDLE = "c1ab:"
_PINGS = 10
_SIZE = 1400
"""Bytes in each datagram of a timed transfer."""
_FRAME = _SIZE + 42
"""Bytes that such a datagram takes on the LAN."""


class _Shaped(FaultKind[P], Generic[P]):
    """A queueing discipline at the LAN card, only in place of the kernel's default."""

    abilities = frozenset({"delay"})
    within = 20.0

    @abstractmethod
    def qdisc(self, params: P) -> str:
        """The kind of queueing discipline, and its options."""

    @abstractmethod
    def recovered(self, params: P, scene: Scene, before: Before) -> Seen:
        """Whether packets pass as before."""

    def parts(self, params: P, scene: Scene) -> list[OnHost]:
        find = card.find(scene.address(params.at))
        inject = f"""{find}
tc qdisc show dev "$lan" root | grep -q '^qdisc [a-z_]* 0:' || {{
    echo "$lan has a queueing discipline of somebody else" >&2; exit {REFUSED}; }}
said=$(tc qdisc add dev "$lan" root handle {_HANDLE} {self.qdisc(params)} 2>&1) || {{
    case $said in *"Unknown qdisc"*|*"qdisc kind is unknown"*|*"No such file"*)
        echo "its kernel has no {self.qdisc(params).split()[0]}" >&2; exit {UNSUPPORTED};; esac
    echo "$said" >&2; exit 1; }}"""
        heal = f"""{find}
! tc qdisc show dev "$lan" root | grep -q ' {_HANDLE}' || tc qdisc del dev "$lan" root handle {_HANDLE}"""
        return [OnHost(params.at, inject, heal)]

    def gone(self, params: P, scene: Scene, before: Before) -> Seen:
        if _HANDLE in scene.said(params.at, "PATH=$PATH:/usr/sbin:/sbin tc qdisc show"):
            return Seen(False, f"{params.at} still has the queueing discipline")
        return self.recovered(params, scene, before)

    def other(self, params: P, scene: Scene) -> str:
        """The address of another host; raises NoEffect when there is none."""
        for name in scene.lab.inventory.hosts:
            if name != params.at:
                return scene.address(name)
        raise NoEffect(f"{self.name}: {params.at} is the only host, so nothing is sent on the LAN")


class DelayParameters(HostParameters):
    """How late packets are."""

    time: Duration = Field(description="how late each packet is", examples=["50ms"])
    jitter: Duration = Field(default=0.0, description="by how much that varies; packets then overtake each other")


class Delay(_Shaped[DelayParameters]):
    """Delays what a host sends on the LAN.

    Up to 100 ms everything holds, slower. One host's delay is one way: a round trip is longer by it once.
    """

    name = "delay"
    model = DelayParameters

    def qdisc(self, params: DelayParameters) -> str:
        return f"netem limit 10000 delay {params.time * 1000:g}ms {params.jitter * 1000:g}ms"

    def before(self, params: DelayParameters, scene: Scene) -> Before:
        return {"rtt": f"{self._round_trip(params, scene)}"}

    def effect(self, params: DelayParameters, scene: Scene, before: Before) -> Seen:
        now = self._round_trip(params, scene)
        wanted = float(before["rtt"]) + 1000 * (params.time - params.jitter)
        return Seen(now >= 0.8 * wanted, f"a ping of another host takes {now:.1f} ms, and took {before['rtt']} ms")

    def recovered(self, params: DelayParameters, scene: Scene, before: Before) -> Seen:
        now = self._round_trip(params, scene)
        return Seen(now < 2 * float(before["rtt"]) + 5, f"a ping of another host takes {now:.1f} ms again")

    def _round_trip(self, params: DelayParameters, scene: Scene) -> float:
        """Milliseconds of the quickest of some pings of another host."""
        ping = f"ping -n -q -c {_PINGS} -i 0.1 -W 5 -I {scene.address(params.at)} {self.other(params, scene)}"
        return float(scene.said(params.at, f"{ping} | sed -n 's|^rtt.*= \\([0-9.]*\\)/.*|\\1|p'", timeout=30.0))


class RateParameters(HostParameters):
    """How much passes."""

    mbit: float = Field(ge=0.1, le=100, description="megabits per second that the host can send", examples=[5])

    @property
    def burst(self) -> int:
        """Bytes that pass at once.

        That is what is sent between two ticks of a kernel with 100 of them a second, or more.
        """
        return max(16384, int(self.mbit * 1_250))


class Rate(_Shaped[RateParameters]):
    """Limits how much a host can send on the LAN per second.

    What it sends faster waits.

    No node is Down, and everything that copies data is slow: images, volumes on NFS, backups.
    """

    name = "rate"
    model = RateParameters

    def qdisc(self, params: RateParameters) -> str:
        return f"tbf rate {int(params.mbit * 1_000_000)}bit burst {params.burst}b limit 8000000b"

    def before(self, params: RateParameters, scene: Scene) -> Before:
        speed = self._speed(params, scene)
        if speed < 2 * params.mbit:
            raise NoEffect(f"{self.name}: {params.at} sends {speed:.1f} Mbit/s already without it")
        return {"speed": f"{speed:.1f}"}

    def effect(self, params: RateParameters, scene: Scene, before: Before) -> Seen:
        now = self._speed(params, scene)
        return Seen(now <= 1.4 * params.mbit, f"{params.at} sends {now:.1f} Mbit/s, and sent {before['speed']}")

    def recovered(self, params: RateParameters, scene: Scene, before: Before) -> Seen:
        now = self._speed(params, scene)
        return Seen(now >= 1.6 * params.mbit, f"{params.at} sends {now:.1f} Mbit/s again")

    def _speed(self, params: RateParameters, scene: Scene) -> float:
        """Megabits per second of a transfer.

        Under the limit it takes about half a second, once its burst has passed.

        The datagrams go to the port of discard(9) and need nobody who listens; the small buffer of the socket makes the
        sender wait for the card.
        """
        burst, count = params.burst // _FRAME, max(20, int(params.mbit * 500_000 / 8 / _FRAME))
        send = (
            "my $s; socket($s, PF_INET, SOCK_DGRAM, 0) and setsockopt($s, SOL_SOCKET, SO_SNDBUF, 8192) or die $!;"
            "my $to = sockaddr_in(9, inet_aton(shift)); sub clock { open(my $u, q(<), q(/proc/uptime)); (split(q( ), "
            f"<$u>))[0] }} sub sent {{ for (1..$_[0]) {{ send($s, q(x) x {_SIZE}, 0, $to) or die $! }} }}"
            f" sent({burst}); my $t = clock(); sent({count}); print clock() - $t"
        )
        script = f"{card.require('perl', 'perl')}\nperl -MSocket -e '{send}' {self.other(params, scene)}"
        seconds = max(float(scene.said(params.at, script, timeout=30.0)), 0.01)
        return count * _FRAME * 8 / seconds / 1e6


DELAY, RATE = Delay(), Rate()
