"""The faults `unplug`, `power_off`, `pause_machine` and `reset`.

What is done to a machine from outside.
"""

from __future__ import annotations

from abc import abstractmethod

from clusterlab.machines.outside import ABILITIES, Operation

from .kind import Before, FaultKind, FromOutside, HostParameters, Seen
from .scene import Scene

_BOOT_SECONDS = 300.0
_BOOTED = "cat /proc/sys/kernel/random/boot_id; sed 's/.*) //' /proc/1/stat | cut -d' ' -f20"
"""Prints what is different after each boot; process 1 is, too, of a host that shares its kernel with others."""
_CARRIER = """\
card=$(ip -o -4 addr show to {address} | awk '{{ print $2; exit }}')
cat "/sys/class/net/$card/carrier"
"""
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
        return scene.said(params.at, _CARRIER.format(address=scene.address(params.at)))


class _Restarts(_FromOutside):
    """A fault after which the machine has booted again."""

    named = True
    heals_within = _BOOT_SECONDS
    leaves = frozenset({"nft", "units", "mounts", "links", "routes", "exports"})

    def before(self, params: HostParameters, scene: Scene) -> Before:
        return {"booted": scene.said(params.at, _BOOTED)}

    def gone(self, params: HostParameters, scene: Scene, before: Before) -> Seen:
        if scene.said(params.at, _BOOTED) == before["booted"]:
            return Seen(False, f"{params.at} has not booted again")
        if params.at in scene.lab.inventory.docker_hosts:
            done = scene.hosts[params.at].run(_ENGINE, timeout=10.0, spare=True)
            if not done.ok:
                return Seen(False, f"the engine of {params.at} does not answer: {done.stderr.strip()}")
        return Seen(True, f"{params.at} has booted again, and answers")


class PowerOff(_Restarts):
    """Cuts the power of a machine: nothing of what it holds in memory is written.

    Its node is Down after about 15 s and its tasks are replaced elsewhere; they do not come back when it does. What was
    not synced is lost, except in namespaces, where the page cache is the computer's.
    """

    name = "power_off"
    operation: Operation = "power_off"
    abilities = frozenset({ABILITIES["power_off"]})

    def effect(self, params: HostParameters, scene: Scene, before: Before) -> Seen:
        state = scene.outside.state(params.at)
        return Seen(state == "off", f"the machine of {params.at} is {state}")


class Reset(_Restarts):
    """Presses the reset button of a machine; it boots again by itself.

    What was not synced is lost.
    """

    name = "reset"
    operation: Operation = "reset"
    abilities = frozenset({ABILITIES["reset"]})
    within = _BOOT_SECONDS

    def effect(self, params: HostParameters, scene: Scene, before: Before) -> Seen:
        booted = scene.said(params.at, _BOOTED) != before["booted"]
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


UNPLUG, POWER_OFF, RESET, PAUSE_MACHINE = Unplug(), PowerOff(), Reset(), PauseMachine()
