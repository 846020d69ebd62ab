"""The fault `mtu`: packets above a size are lost.

A tunnel that nobody knows of does that.
"""

from __future__ import annotations

from pydantic import Field

from . import card
from .errors import NoEffect
from .kind import REFUSED, UNSUPPORTED, Before, FaultKind, HostParameters, OnHost, Seen
from .scene import Scene

_ETHERNET, _IP_AND_ICMP = 14, 28
"""Bytes of the headers around a packet, and around the data of a ping."""
_FOLDER = "/run/clusterlab/faults/FAULT_ID"


class MtuParameters(HostParameters):
    """What still passes."""

    size: int = Field(ge=576, le=1499, description="the largest packet that passes, in bytes", examples=[1400])


class Mtu(FaultKind[MtuParameters]):
    """Loses packets above a size that a host sends or receives on the LAN.

    No card and no router says so.

    Small requests and answers pass, large ones hang: a login works, and the page never comes. What the card takes in
    bundles is judged by the packets that it makes of them.
    """

    name = "mtu"
    model = MtuParameters
    abilities = frozenset({"delay"})

    def parts(self, params: MtuParameters, scene: Scene) -> list[OnHost]:
        find = card.find(scene.address(params.at))
        police = f"police rate 100gbit burst 100000000 mtu {params.size + _ETHERNET} drop"
        inject = f"""{find}
! tc qdisc show dev "$lan" | grep -Eq '^qdisc (clsact|ingress) ' || {{
    echo "$lan has a classifier of somebody else" >&2; exit {REFUSED}; }}
: >{_FOLDER}/classifier
said=$(tc qdisc add dev "$lan" clsact 2>&1 && for way in egress ingress; do
    tc filter add dev "$lan" $way protocol all matchall action {police} 2>&1 || exit 1; done) || {{
    case $said in *"not found"*|*"Unknown"*|*"unknown"*|*"Failed to load"*|*"No such file"*)
        echo "its kernel cannot drop packets by size: $said" >&2; exit {UNSUPPORTED};; esac
    echo "$said" >&2; exit 1; }}"""
        heal = f"""{find}
if [ -e {_FOLDER}/classifier ] && tc qdisc show dev "$lan" | grep -q '^qdisc clsact '; then
    tc qdisc del dev "$lan" clsact
fi && rm -f {_FOLDER}/classifier"""
        return [OnHost(params.at, inject, heal)]

    def before(self, params: MtuParameters, scene: Scene) -> Before:
        small, large = self._passing(params, scene)
        if not (small and large):
            raise NoEffect(f"{self.name}: packets of {params.size + 1} bytes do not pass already")
        return {}

    def effect(self, params: MtuParameters, scene: Scene, before: Before) -> Seen:
        small, large = self._passing(params, scene)
        return Seen(small and not large, _text(params, small, large))

    def gone(self, params: MtuParameters, scene: Scene, before: Before) -> Seen:
        small, large = self._passing(params, scene)
        return Seen(small and large, _text(params, small, large))

    def _passing(self, params: MtuParameters, scene: Scene) -> tuple[bool, bool]:
        """Whether pings of another host pass in packets of just that size.

        And in packets that are larger by a byte.
        """
        other = next((name for name in scene.lab.inventory.hosts if name != params.at), params.at)
        ping = f"ping -n -q -c 3 -i 0.1 -W 2 -M do -I {scene.address(params.at)} -s"
        size = params.size - _IP_AND_ICMP
        script = "\n".join(
            f"{ping} {one} {scene.address(other)} >/dev/null 2>&1 && echo {name} &"
            for one, name in ((size, "small"), (size + 1, "large"))
        )
        words = scene.said(params.at, f"{script}\nwait", timeout=20.0).split()
        return "small" in words, "large" in words


def _text(params: MtuParameters, small: bool, large: bool) -> str:
    words = {True: "pass", False: "do not"}
    return f"packets of {params.size} bytes {words[small]}, of {params.size + 1} {words[large]}"


MTU = Mtu()
