"""The fault `no_route`: a host has no route to another."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from clusterlab.model.faults import Target

from . import nft
from .cut import reached
from .errors import NoEffect
from .kind import REFUSED, Before, FaultKind, HostParameters, OnHost, Seen
from .scene import Scene

_OURS = "proto 193"
"""What tells the route from those of others; ip-route(8) leaves such numbers to programs."""


class NoRouteParameters(HostParameters):
    """Which host is not found any more."""

    to: Target = Field(description="the host to which there is no route any more")


class NoRoute(FaultKind[NoRouteParameters]):
    """Takes the route to another host away from a host.

    What it sends there fails at once, "No route to host".

    As a partition of the two for connections, which fail both ways, but at once in place of after a timeout.
    """

    name = "no_route"
    model = NoRouteParameters

    def names(self, params: NoRouteParameters) -> Iterator[Target]:
        yield from (params.host, params.to)

    def fixed(self, params: NoRouteParameters, scene: Scene) -> NoRouteParameters:
        return params.model_copy(update={"host": scene.one(params.host), "to": scene.one(params.to)})

    def parts(self, params: NoRouteParameters, scene: Scene) -> list[OnHost]:
        route = f"{scene.address(str(params.to))}/32"
        inject = f"""PATH=$PATH:/usr/sbin:/sbin
{nft.spare_peer([scene.address(str(params.to))])}
[ -z "$(ip route show exact {route})" ] || {{ echo "it has a route to {route} of somebody else" >&2; exit {REFUSED}; }}
ip route add unreachable {route} {_OURS}"""
        heal = f"""PATH=$PATH:/usr/sbin:/sbin
[ -z "$(ip route show exact {route} {_OURS})" ] || ip route del unreachable {route} {_OURS}"""
        return [OnHost(params.at, inject, heal)]

    def before(self, params: NoRouteParameters, scene: Scene) -> Before:
        if params.to == params.host:
            raise NoEffect(f"{self.name}: no two different hosts are named, so no route would be missed")
        if not self._reached(params, scene):
            raise NoEffect(f"{self.name}: {params.to} already does not answer {params.at}")
        return {}

    def effect(self, params: NoRouteParameters, scene: Scene, before: Before) -> Seen:
        done = scene.hosts[params.at].run(
            f"ping -n -c 1 -W 1 {scene.address(str(params.to))}", timeout=10.0, spare=True
        )
        no_route = not done.ok and "No route to host" in done.output
        return Seen(no_route, f"a ping of {params.to} says {done.output.strip().splitlines()[-1]}")

    def gone(self, params: NoRouteParameters, scene: Scene, before: Before) -> Seen:
        answers = self._reached(params, scene)
        return Seen(answers, f"{params.to} {'answers' if answers else 'does not answer'} {params.at}")

    def _reached(self, params: NoRouteParameters, scene: Scene) -> bool:
        pair = (params.at, str(params.to))
        return bool(reached(scene, [pair])[pair])


NO_ROUTE = NoRoute()
