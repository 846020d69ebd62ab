"""The faults `unplug`, `flap`, `power_off`, `pause_machine` and `reset`.

What is done to a machine from outside.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Generic, TypeVar

from pydantic import Field

from clusterlab.machines.outside import ABILITIES, Operation
from clusterlab.model.base import Duration
from clusterlab.model.faults import FaultParameters, Target

from . import card
from .kind import Before, FaultKind, FromOutside, HostParameters, Seen
from .scene import Scene

P = TypeVar("P", bound=FaultParameters)

_BOOT_SECONDS = 300.0
_BOOTED = "cat /proc/sys/kernel/random/boot_id; sed 's/.*) //' /proc/1/stat | cut -d' ' -f20"
"""Prints what is different after each boot; process 1 is, too, of a host that shares its kernel with others."""
_NODES = "curl -sS --max-time 8 --unix-socket /var/run/docker.sock http://engine/nodes"
_ENGINE = "curl -sS -o /dev/null --max-time 5 --unix-socket /var/run/docker.sock http://engine/_ping"


class _FromOutside(FaultKind[HostParameters]):
    """A fault that one operation on one machine is."""

    model = HostParameters
    operation: Operation

    def lost(self, params: HostParameters, scene: Scene) -> frozenset[str]:
        return frozenset({params.at})

    def parts(self, params: HostParameters, scene: Scene) -> list[FromOutside]:
        return [FromOutside(params.at, self.operation)]

    @abstractmethod
    def effect(self, params: HostParameters, scene: Scene, before: Before) -> Seen: ...


class Unplug(_FromOutside):
    """Pulls the LAN cable of a machine out; management still reaches it.

    As `isolate`, and the machine sees it: its card has no carrier.
    """

    name = "unplug"
    operation: Operation = "unplug"
    abilities = frozenset({ABILITIES["unplug"]})

    def effect(self, params: HostParameters, scene: Scene, before: Before) -> Seen:
        carrier = self._carrier(params, scene)
        return Seen(carrier == "0", f"the LAN card of {params.at} has {'no ' if carrier == '0' else ''}carrier")

    def gone(self, params: HostParameters, scene: Scene, before: Before) -> Seen:
        carrier = self._carrier(params, scene)
        return Seen(
            carrier == "1", f"the LAN card of {params.at} has {'its address and a' if carrier == '1' else 'no'} carrier"
        )

    def _carrier(self, params: HostParameters, scene: Scene) -> str:
        return scene.said(params.at, f'{card.find(scene.address(params.at))}\ncat "/sys/class/net/$lan/carrier"')


class FlapParameters(HostParameters):
    """How often the cable is out."""

    down: Duration = Field(default=3.0, ge=0.5, lt=15.0, description="how long it is out each time")
    up: Duration = Field(default=5.0, ge=0.5, lt=15.0, description="how long it is in between")


class Flap(FaultKind[FlapParameters]):
    """Pulls the LAN cable of a machine out and in again and again.

    A loose plug does that.

    Out for less than 10 s each time, no node is Down and no task moves; connections stall and go on.
    """

    name = "flap"
    model = FlapParameters
    abilities = frozenset({ABILITIES["unplug"]})
    within = 30.0

    def lost(self, params: FlapParameters, scene: Scene) -> frozenset[str]:
        return frozenset({params.at})

    def parts(self, params: FlapParameters, scene: Scene) -> list[FromOutside]:
        return [FromOutside(params.at, "unplug", flaps=(params.down, params.up))]

    def effect(self, params: FlapParameters, scene: Scene, before: Before) -> Seen:
        seen = self._seen(params, scene, 2 * max(params.down, params.up) + 2)
        flaps = seen == ["0", "1"]
        return Seen(flaps, f"the LAN card of {params.at} {'loses and finds' if flaps else 'keeps'} its carrier")

    def gone(self, params: FlapParameters, scene: Scene, before: Before) -> Seen:
        seen = self._seen(params, scene, params.up + 1)
        steady = seen == ["1"]
        return Seen(steady, f"the LAN card of {params.at} {'keeps its' if steady else 'has no steady'} carrier")

    def _seen(self, params: FlapParameters, scene: Scene, seconds: float) -> list[str]:
        """What the carrier of the card was in so many seconds, until it was both."""
        script = f"""{card.find(scene.address(params.at))}
seen=$(cat "/sys/class/net/$lan/carrier"); echo $seen
for again in $(seq {int(seconds * 10)}); do
    now=$(cat "/sys/class/net/$lan/carrier"); [ "$now" = "$seen" ] || {{ echo "$now"; break; }}
    sleep 0.1
done"""
        return sorted(scene.said(params.at, script, timeout=seconds + 30).split())


class _Restarts(FaultKind[P], Generic[P]):
    """A fault after which machines have booted again."""

    operation: Operation
    named = True
    heals_within = _BOOT_SECONDS
    leaves = frozenset({"nft", "units", "mounts", "links", "routes", "exports"})

    @abstractmethod
    def hosts(self, params: P) -> Sequence[str]:
        """The hosts whose machines these are."""

    def lost(self, params: P, scene: Scene) -> frozenset[str]:
        return frozenset(self.hosts(params))

    def parts(self, params: P, scene: Scene) -> list[FromOutside]:
        return [FromOutside(host, self.operation) for host in self.hosts(params)]

    def before(self, params: P, scene: Scene) -> Before:
        return {host: scene.said(host, _BOOTED) for host in self.hosts(params)}

    def gone(self, params: P, scene: Scene, before: Before) -> Seen:
        hosts = self.hosts(params)
        for host in hosts:
            if scene.said(host, _BOOTED) == before[host]:
                return Seen(False, f"{host} has not booted again")
            if host in scene.lab.inventory.docker_hosts:
                done = scene.hosts[host].run(_ENGINE, timeout=10.0, spare=True)
                if not done.ok:
                    return Seen(False, f"the engine of {host} does not answer: {done.stderr.strip()}")
        return Seen(True, f"{' and '.join(hosts)} booted again and {'answers' if len(hosts) == 1 else 'answer'}")


class PowerOffParameters(FaultParameters):
    """Whose power is cut."""

    host: Target | list[Target] = Field(description="a host, or several: a list, a role, or the majority of managers")


class PowerOff(_Restarts[PowerOffParameters]):
    """Cuts the power of a machine, or of several.

    Nothing of what they hold in memory is written.

    Its node is Down after about 15 s and its tasks are replaced elsewhere; they do not come back when it does. Without
    the majority of its managers the Swarm has no leader: what runs goes on, and nothing can be changed. What was not
    synced is lost, except in namespaces, where the page cache is the computer's.
    """

    name = "power_off"
    model = PowerOffParameters
    operation: Operation = "power_off"
    abilities = frozenset({ABILITIES["power_off"]})
    within = 60.0

    def hosts(self, params: PowerOffParameters) -> Sequence[str]:
        return [str(host) for host in (params.host if isinstance(params.host, list) else [params.host])]

    def fixed(self, params: PowerOffParameters, scene: Scene) -> PowerOffParameters:
        named = params.host if isinstance(params.host, list) else [params.host]
        return params.model_copy(update={"host": scene.resolve(named)})

    def effect(self, params: PowerOffParameters, scene: Scene, before: Before) -> Seen:
        states = {host: scene.outside.state(host) for host in self.hosts(params)}
        text = "; ".join(f"the machine of {host} is {state}" for host, state in states.items())
        if any(state != "off" for state in states.values()):
            return Seen(False, text)
        managers = scene.lab.inventory.with_role("swarm_manager")
        left = [name for name in managers if name not in states]
        if not left or 2 * len(left) > len(managers):
            return Seen(True, text)
        leaderless = _leaderless(scene, left[0])
        return Seen(leaderless, f"{text}; the Swarm {'has no leader' if leaderless else 'still answers'}")

    def before(self, params: PowerOffParameters, scene: Scene) -> Before:
        managers = set(self.hosts(params)) & set(scene.lab.inventory.with_role("swarm_manager"))
        return {**super().before(params, scene), "swarm": scene.manager.name if managers else ""}

    def gone(self, params: PowerOffParameters, scene: Scene, before: Before) -> Seen:
        seen = super().gone(params, scene, before)
        if seen.holds and before["swarm"]:
            return Seen(True, f"{seen.text}; the Swarm has a leader, says {scene.manager.name}")
        return seen


def _leaderless(scene: Scene, manager: str) -> bool:
    """Whether a manager says that the Swarm has no leader, or waits for one."""
    done = scene.hosts[manager].run(_NODES, timeout=15.0, spare=True)
    return any(words in done.output for words in ("does not have a leader", "deadline exceeded", "timed out"))


class Reset(_Restarts[HostParameters]):
    """Presses the reset button of a machine; it boots again by itself.

    What was not synced is lost.
    """

    name = "reset"
    model = HostParameters
    operation: Operation = "reset"
    abilities = frozenset({ABILITIES["reset"]})
    within = _BOOT_SECONDS

    def hosts(self, params: HostParameters) -> Sequence[str]:
        return [params.at]

    def effect(self, params: HostParameters, scene: Scene, before: Before) -> Seen:
        booted = scene.said(params.at, _BOOTED) != before[params.at]
        return Seen(booted, f"{params.at} has {'' if booted else 'not '}booted again")


class PauseMachine(_FromOutside):
    """Stops a machine where it stands, as a hypervisor under load does.

    Management does not reach it either.

    For less than 10 s nothing follows; after 15 s its node is Down, and its old tasks are ended when it goes on.
    """

    name = "pause_machine"
    operation: Operation = "pause"
    abilities = frozenset({ABILITIES["pause"]})
    heals_within = 60.0

    def effect(self, params: HostParameters, scene: Scene, before: Before) -> Seen:
        state = scene.outside.state(params.at)
        return Seen(state == "paused", f"the machine of {params.at} is {state}")

    def gone(self, params: HostParameters, scene: Scene, before: Before) -> Seen:
        state = scene.outside.state(params.at)
        answers = state == "running" and scene.answers(params.at)
        return Seen(answers, f"the machine of {params.at} is {state}{' and answers' if answers else ''}")


UNPLUG, FLAP, POWER_OFF, RESET, PAUSE_MACHINE = Unplug(), Flap(), PowerOff(), Reset(), PauseMachine()
