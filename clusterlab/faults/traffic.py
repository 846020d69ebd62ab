"""The fault `delay`: what a host sends on the LAN is late."""

from __future__ import annotations

from abc import abstractmethod
from typing import Generic, TypeVar

from pydantic import Field

from clusterlab.model.base import Duration

from .kind import REFUSED, UNSUPPORTED, Before, FaultKind, HostParameters, OnHost, Seen
from .scene import Scene

P = TypeVar("P", bound=HostParameters)

_HANDLE = "c1ab:"
_PINGS = 10


class _Shaped(FaultKind[P], Generic[P]):
    """A queueing discipline at the LAN card, only in place of the kernel's default."""

    abilities = frozenset({"delay"})

    @abstractmethod
    def qdisc(self, params: P) -> str:
        """The kind of queueing discipline, and its options."""

    def parts(self, params: P, scene: Scene) -> list[OnHost]:
        find = f"""PATH=$PATH:/usr/sbin:/sbin
lan=$(ip -o -4 addr show to {scene.address(params.at)} | awk '{{ print $2; exit }}')
"""
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

    def before(self, params: P, scene: Scene) -> Before:
        return {"rtt": f"{self.round_trip(params, scene)}"}

    def gone(self, params: P, scene: Scene, before: Before) -> Seen:
        if _HANDLE in scene.said(params.at, "PATH=$PATH:/usr/sbin:/sbin tc qdisc show"):
            return Seen(False, f"{params.at} still has the queueing discipline")
        now = self.round_trip(params, scene)
        return Seen(now < 2 * float(before["rtt"]) + 5, f"a ping of another host takes {now:.1f} ms again")

    def round_trip(self, params: P, scene: Scene) -> float:
        """Milliseconds of the quickest of some pings of another host."""
        other = next(name for name in scene.lab.inventory.hosts if name != params.at)
        ping = f"ping -n -q -c {_PINGS} -i 0.1 -W 5 -I {scene.address(params.at)} {scene.address(other)}"
        return float(scene.said(params.at, f"{ping} | sed -n 's|^rtt.*= \\([0-9.]*\\)/.*|\\1|p'", timeout=30.0))


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
    within = 20.0

    def qdisc(self, params: DelayParameters) -> str:
        return f"netem limit 10000 delay {params.time * 1000:g}ms {params.jitter * 1000:g}ms"

    def effect(self, params: DelayParameters, scene: Scene, before: Before) -> Seen:
        now = self.round_trip(params, scene)
        wanted = float(before["rtt"]) + 1000 * (params.time - params.jitter)
        return Seen(now >= 0.8 * wanted, f"a ping of another host takes {now:.1f} ms, and took {before['rtt']} ms")


DELAY = Delay()
