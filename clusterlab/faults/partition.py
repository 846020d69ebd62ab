"""The faults `partition`, `isolate` and `split`.

Hosts that do not reach each other on the LAN.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, permutations
from typing import Generic, TypeVar

from pydantic import Field

from clusterlab.model.faults import FaultParameters, Target

from .cut import Between, Cut, CutBetween, Targets, both_ways, dropped_text, reached, silent
from .errors import NoEffect
from .kind import Before, HostParameters, Seen
from .scene import Scene

P = TypeVar("P", bound=FaultParameters)


class Unreached(Cut[P], Generic[P]):
    """A fault that drops everything, which pings show."""

    def before(self, params: P, scene: Scene) -> Before:
        before = super().before(params, scene)
        pairs = list(permutations(scene.lab.inventory.hosts, 2))
        answers = reached(scene, pairs)
        # Asked again, patiently: a busy host may answer late, and only what was reached before is compared afterwards.
        answers |= reached(scene, [pair for pair in pairs if not answers.get(pair)], wait=3.0)
        for sender, receiver in self.pairs(params, scene):
            if not answers.get((sender, receiver)):
                raise NoEffect(f"{self.name}: {receiver} does not answer {sender}, so a cut would change nothing")
        return {**before, "reached": " ".join(f"{a}>{b}" for (a, b), count in answers.items() if count)}

    def effect(self, params: P, scene: Scene, before: Before) -> Seen:
        pairs = self.pairs(params, scene)
        sides = [pair.partition(">") for pair in before["reached"].split()]
        uncut = [(a, b) for a, _, b in sides if (a, b) not in pairs and (b, a) not in pairs]
        answers = reached(scene, [*pairs, *uncut])
        for sender, receiver in pairs:
            if answers.get((sender, receiver)):
                return Seen(False, f"{receiver} still answers {sender}")
        for sender, receiver in uncut:
            if not answers.get((sender, receiver)):
                return Seen(False, f"{receiver} does not answer {sender} either, which is not cut off")
        counts = self.counts(params, scene, before)
        return silent(counts) or Seen(True, f"{dropped_text(counts)}; {len(uncut)} other pairs reach each other")

    def gone(self, params: P, scene: Scene, before: Before) -> Seen:
        if still := self.tables_gone(params, scene, before):
            return Seen(False, still)
        for (sender, receiver), count in reached(scene, self.pairs(params, scene)).items():
            if not count:
                return Seen(False, f"{receiver} does not answer {sender}")
        return Seen(True, "all reach each other again")


class Partition(CutBetween[Between], Unreached[Between]):
    """Cuts hosts off from each other, both ways or one way.

    Both ways with `between` or `host`, one way with `from` and `to`.

    The Swarm's node is Down after about 15 s and its tasks are replaced; the old ones run on. Cut one way, TCP fails
    both ways, and gossip takes another route.
    """

    name = "partition"
    model = Between


class Isolate(Unreached[HostParameters]):
    """Cuts a host off from all others of the lab, both ways.

    Management still reaches it.

    As a partition of one host: its node is Down after about 15 s, and I/O on hard NFS mounts hangs.
    """

    name = "isolate"
    model = HostParameters

    def pairs(self, params: HostParameters, scene: Scene) -> list[tuple[str, str]]:
        return both_ways([params.at], [name for name in scene.lab.inventory.hosts if name != params.at])

    def lost(self, params: HostParameters, scene: Scene) -> frozenset[str]:
        return frozenset({params.at})


class Groups(FaultParameters):
    """The groups that do not reach each other."""

    groups: list[Targets] = Field(min_length=2, description="each a host, a role or a list of them")
    bridge: Target | None = Field(default=None, description="a host that stays out of it, and reaches all of them")


class Split(Unreached[Groups]):
    """Splits hosts into groups that do not reach each other.

    A `bridge` reaches all of them.

    The group with the majority of managers goes on; the tasks of the others run on, and are started there as well.
    """

    name = "split"
    model = Groups

    def names(self, params: Groups) -> Iterator[Target]:
        for group in params.groups:
            yield from group
        if params.bridge is not None:
            yield params.bridge

    def fixed(self, params: Groups, scene: Scene) -> Groups:
        bridge = None if params.bridge is None else scene.one(params.bridge)
        groups = [[host for host in scene.resolve(group) if host != bridge] for group in params.groups]
        return params.model_copy(update={"groups": groups} | ({"bridge": bridge} if bridge else {}))

    def pairs(self, params: Groups, scene: Scene) -> list[tuple[str, str]]:
        found = [pair for left, right in combinations(params.groups, 2) for pair in both_ways(left, right)]
        return list(dict.fromkeys(found))

    def lost(self, params: Groups, scene: Scene) -> frozenset[str]:
        """Every group but the one with most managers, and of these the largest."""
        managers = set(scene.lab.inventory.with_role("swarm_manager"))
        groups = sorted(params.groups, key=lambda group: (len(managers & set(map(str, group))), len(group)))
        return frozenset(str(host) for group in groups[:-1] for host in group)


PARTITION, ISOLATE, SPLIT = Partition(), Isolate(), Split()
