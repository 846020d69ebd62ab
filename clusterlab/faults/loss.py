"""The fault `loss`: a share of all packets is lost."""

from __future__ import annotations

from math import sqrt

from pydantic import Field

from .cut import Between, CutBetween, dropped_text, reached, silent
from .kind import Before, Seen
from .scene import Scene

_PINGS = 200


class LossParameters(Between):
    """How much is lost, and between whom."""

    percent: int = Field(ge=1, le=99, description="the share of packets that each receiver loses")


class Loss(CutBetween[LossParameters]):
    """Loses a share of all packets between hosts, at random.

    Up to 10 percent no node is Down, and connections are slower. The sender sees nothing of it, as on a real network.
    """

    name = "loss"
    model = LossParameters
    within = 20.0

    def match(self, params: LossParameters) -> str:
        return f"numgen random mod 100 < {params.percent}"

    def lost(self, params: LossParameters, scene: Scene) -> frozenset[str]:
        return super().lost(params, scene) if params.percent > 30 else frozenset()

    def effect(self, params: LossParameters, scene: Scene, before: Before) -> Seen:
        pairs = self.pairs(params, scene)
        share = params.percent / 100
        for (sender, receiver), count in reached(scene, pairs, _PINGS).items():
            expected = 1 - (1 - share) ** (1 if (receiver, sender) not in pairs else 2)
            lost = 1 - count / _PINGS
            if abs(lost - expected) > 5 * sqrt(expected * (1 - expected) / _PINGS):
                return Seen(False, f"{sender} loses {lost:.0%} of its pings of {receiver}, not about {expected:.0%}")
        counts = self.counts(params, scene, before)
        return silent(counts) or Seen(True, dropped_text(counts))

    def gone(self, params: LossParameters, scene: Scene, before: Before) -> Seen:
        if still := self.tables_gone(params, scene, before):
            return Seen(False, still)
        for (sender, receiver), count in reached(scene, self.pairs(params, scene), 20).items():
            if count < 20:
                return Seen(False, f"{sender} loses {20 - count} of 20 pings of {receiver}")
        return Seen(True, "no ping is lost any more")


LOSS = Loss()
