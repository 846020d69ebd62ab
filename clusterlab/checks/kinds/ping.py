"""ping: does an address answer, with all of the packets sent."""

from __future__ import annotations

import math
import re
from typing import ClassVar

from pydantic import Field

from clusterlab.model.base import Duration
from clusterlab.model.probes import NegatableProbe, Target, Targets, only
from clusterlab.remote.completed import Completed

from .. import lan
from ..manual.absence import answered, kept_out
from ..manual.lan import NEAR_CARD, card, leaves_swarm, over_near
from ..manual.where import Where
from ..network import is_name
from ..place import NotUnderstood, Place
from ..places import Places
from ..reach import ReachKind, Shown
from ..reached import NOT_SENT, Reach, kept_away, reason

_SUMMARY = re.compile(r"^(\d+) packets transmitted, (\d+) (?:packets )?received", re.MULTILINE)
_SOME = "packets transmitted, [1-9][0-9]* (packets )?received"
_NONE = "[1-9][0-9]* packets transmitted, 0 (packets )?received"
_USED = re.compile(r"^PING \S+ \(([0-9.]+)\)", re.MULTILINE)
_HINT = (
    "a reachable address that loses all packets: firewall, routing, or for overlay networks UDP 4789 between the hosts"
)


class PingProbe(NegatableProbe):
    """Ping a name or address."""

    verdict: ClassVar[str] = "reachable"
    target: ClassVar[tuple[str, ...]] = ("to",)
    only_positive: ClassVar[tuple[str, ...]] = ()

    to: Targets
    count: int = Field(default=2, ge=1, description="how many packets")
    size: int | None = Field(default=None, ge=0, le=65507, description="bytes of payload, sent unfragmented")
    reachable: bool = True
    timeout: Duration = 10.0


class Ping(ReachKind[PingProbe]):
    """Every one of `count` packets must come back; for `reachable: false` none may."""

    name = "ping"
    model = PingProbe
    tools = ("ping",)
    hint = _HINT

    def summary(self, probe: PingProbe) -> str:
        size = f" of {probe.size} bytes, unfragmented" if probe.size is not None else ""
        return f"{probe.to} answers {probe.count} of {probe.count} pings{size}"

    def target(self, probe: PingProbe) -> Target:
        return only(probe.to)

    def how(self, probe: PingProbe) -> str:
        # A packet that is too long for the way does not mean that the two are kept apart.
        return "ping" if probe.size is None else f"{probe.size} bytes"

    def reach(self, probe: PingProbe, place: Place, places: Places, kept: bool) -> Reach:
        wait = max(1, math.ceil(probe.timeout))
        target = places.target(place, only(probe.to))
        places.network_tool(place, "ping")

        def reach(card: str) -> Reach:
            argv, names = [*packets(probe, card), target], is_name(target)
            completed = places.in_network(place, argv, names=names, timeout=probe.count + wait + 30)
            return parse(completed, completed.command, all_must=probe.reachable)

        return lan.over(only(probe.to), place, places, reach) if kept else reach("")

    def shown(self, probe: PingProbe, place: Place, where: Where, kept: bool) -> Shown:
        target, near = where.target(place, only(probe.to)), kept and leaves_swarm(only(probe.to), place, where)
        argv = packets(probe, NEAR_CARD if near else card(only(probe.to), place, where) if kept else "")
        # A container's own ping may not know how to forbid fragments.
        host_tool = near or probe.size is not None
        command = where.in_network(place, [*argv, target], names=is_name(target), host_tool=host_tool)
        reached = f"{command} | grep -qE ' {probe.count} (packets )?received'"
        shown, proof = command, kept_out(command, target, _SOME, _NONE) if probe.negative else reached
        if near:
            shown, proof = over_near(command, proof, place, where, negative=probe.negative)
        if probe.negative:
            proof = answered(place, target, where) + proof
        return Shown(shown, self.summary(probe), proof)


KIND = Ping()


def parse(completed: Completed, command: str, *, all_must: bool = True) -> Reach:
    """Read the output of iputils' or busybox's ping.

    Raises NotUnderstood when it shows nothing about the network.

    When only some packets came back, it was reached unless `all_must` come back.
    """
    summary = _SUMMARY.search(completed.stdout)
    if not summary or re.search(NOT_SENT, completed.output):
        return kept_away(completed, command, completed.output)
    sent, received = map(int, summary.groups())
    used = tuple(_USED.findall(completed.stdout)[:1])
    if not sent:
        raise NotUnderstood("no packet was sent", command=command, detail=completed.output)
    if received:
        reached = received == sent or not all_must
        return Reach(reached, f"{received} of {sent} packets came back", command, completed.output, used)
    if "message too long" in completed.output.lower():
        found = "too long to be sent unfragmented"
    else:
        found = reason(completed.output) or "timed out"
    return Reach(False, f"none of {sent} packets came back: {found}", command, completed.output, used)


def packets(probe: PingProbe, card: str = "") -> list[str]:
    """The command, but for whom it asks.

    `card` is the interface to which it is bound.
    """
    argv = ["ping", "-c", str(probe.count), "-W", str(max(1, math.ceil(probe.timeout)))]
    argv += [] if probe.size is None else ["-M", "do", "-s", str(probe.size)]
    return [*argv, "-n", "-I", card] if card else argv
