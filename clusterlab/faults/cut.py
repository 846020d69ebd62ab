"""What faults of the network have in common.

Who is cut off from whom, and how that is seen.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Annotated, Generic, TypeVar

from pydantic import BeforeValidator, Field

from clusterlab.model.base import Issue
from clusterlab.model.faults import FaultParameters, Target

from . import nft
from .errors import NoEffect
from .kind import Before, FaultKind, OnHost, Seen
from .scene import Scene


def _as_list(value: object) -> object:
    return value if isinstance(value, list | None) else [value]


Targets = Annotated[list[Target], BeforeValidator(_as_list)]
"""One target, or a list of them."""


class Between(FaultParameters):
    """Between which hosts.

    Exactly one of `between`, `host` (and all others), and `from` with `to`.
    """

    between: list[Targets] = Field(
        default_factory=list,
        description="two sides, each a host, a role or a list: both ways",
        examples=[["gw", "host1"]],
    )
    from_: Targets = Field(default_factory=list, alias="from", description="the senders, with `to`: one way")
    to: Targets = Field(default_factory=list, description="the receivers")
    host: Target | None = Field(default=None, description="this host from all others, both ways")

    def issues(self) -> Iterator[Issue]:
        given = self.given("between", "from_", "to", "host")
        if given not in (["between"], ["from", "to"], ["host"]):
            yield Issue((), "give exactly one of `between`, `host`, and `from` with `to`")
        if self.between and len(self.between) != 2:
            yield Issue(("between",), f"`between` has two sides, not {len(self.between)}")


B = TypeVar("B", bound=Between)
P = TypeVar("P", bound=FaultParameters)


class Cut(FaultKind[P], Generic[P]):
    """A fault that drops packets where they arrive."""

    def match(self, params: P) -> str:
        """The expressions of nft that narrow down what is dropped."""
        return ""

    def spares_ssh(self, params: P) -> bool:
        """Whether management passes even between hosts that are cut off from each other."""
        return False

    @abstractmethod
    def pairs(self, params: P, scene: Scene) -> list[tuple[str, str]]:
        """Each sender with each receiver that is cut off from it.

        The parameters are fixed.
        """

    def parts(self, params: P, scene: Scene) -> list[OnHost]:
        receivers: dict[str, list[str]] = {}
        for sender, receiver in self.pairs(params, scene):
            receivers.setdefault(receiver, []).append(scene.address(sender))
        return [
            OnHost(
                receiver,
                nft.table(scene.address(receiver), senders, self.match(params), params.lasts, self.spares_ssh(params)),
                nft.HEAL,
            )
            for receiver, senders in receivers.items()
        ]

    def before(self, params: P, scene: Scene) -> Before:
        if not self.pairs(params, scene):
            raise NoEffect(f"{self.name}: no two different hosts are named, so nothing would be cut")
        return {}

    def tables_gone(self, params: P, scene: Scene, before: Before) -> str:
        """The hosts that still have the fault's table, in words; "" when none has."""
        counts = self.counts(params, scene, before)
        return ", ".join(f"{host} still drops packets" for host, count in counts.items() if count >= 0)

    def counts(self, params: P, scene: Scene, before: Before) -> Mapping[str, int]:
        """How many packets each receiver has dropped.

        -1 for one that drops none any more.
        """
        receivers = dict.fromkeys(receiver for _, receiver in self.pairs(params, scene))
        answers = scene.hosts.each(receivers, lambda host: nft.dropped(scene, host.name, before["id"]))
        for answer in answers.values():
            if isinstance(answer, Exception):
                raise answer
        return {name: answer for name, answer in answers.items() if isinstance(answer, int)}


class CutBetween(Cut[B], Generic[B]):
    """A fault between hosts that are named as Between says."""

    def names(self, params: B) -> Iterator[Target]:
        for side in (*params.between, params.from_, params.to):
            yield from side
        if params.host is not None:
            yield params.host

    def fixed(self, params: B, scene: Scene) -> B:
        update: dict[str, object] = {}
        if params.between:
            update["between"] = [scene.resolve(side) for side in params.between]
        elif params.host is not None:
            update["host"] = scene.one(params.host)
        else:
            update |= {"from_": scene.resolve(params.from_), "to": scene.resolve(params.to)}
        return params.model_copy(update=update)

    def pairs(self, params: B, scene: Scene) -> list[tuple[str, str]]:
        if params.host is not None:
            return both_ways([str(params.host)], [name for name in scene.lab.inventory.hosts if name != params.host])
        if params.between:
            return both_ways(*params.between)
        return [(str(a), str(b)) for a, b in product(params.from_, params.to) if a != b]

    def lost(self, params: B, scene: Scene) -> frozenset[str]:
        """An isolated host, and managers without the others.

        That is those that do not reach the manager that still reaches most of them.
        """
        managers = scene.lab.inventory.with_role("swarm_manager")
        cut = {frozenset(pair) for pair in self.pairs(params, scene)}
        left = max(([one for one in managers if {one, leader} not in cut] for leader in managers), key=len, default=[])
        isolated = frozenset() if params.host is None else frozenset({str(params.host)})
        return isolated | frozenset(managers) - frozenset(left)


def both_ways(one: Sequence[Target], other: Sequence[Target]) -> list[tuple[str, str]]:
    """Each host of one side with each of the other, as sender and as receiver."""
    found = [(str(a), str(b)) for a, b in product(one, other) if a != b]
    return list(dict.fromkeys([*found, *((b, a) for a, b in found)]))


def dropped_text(counts: Mapping[str, int]) -> str:
    """What the receivers dropped, for people."""
    return "; ".join(f"{host} dropped {count} packets" for host, count in counts.items())


def silent(counts: Mapping[str, int]) -> Seen | None:
    """What is wrong when a receiver has dropped nothing, or no longer drops packets."""
    for host, count in counts.items():
        if count <= 0:
            return Seen(False, f"{host} has not dropped a packet" if count == 0 else f"{host} no longer drops packets")
    return None


def reached(
    scene: Scene, pairs: list[tuple[str, str]], count: int = 3, wait: float = 1.0
) -> dict[tuple[str, str], int]:
    """How many of `count` pings each sender gets an answer for from each receiver."""
    scripts: dict[str, str] = {}
    for sender, receiver in pairs:
        ping = f"ping -n -q -c {count} -i 0.01 -W {wait:g} -I {scene.address(sender)} {scene.address(receiver)}"
        line = f"echo {receiver} $({ping} | sed -n 's/.* \\([0-9]*\\) received.*/\\1/p') &\n"
        scripts[sender] = scripts.get(sender, "") + line
    done = scene.run({sender: f"{script}wait" for sender, script in scripts.items()})
    found = {}
    for sender, one in done.items():
        for words in map(str.split, one.stdout.splitlines()):
            found[sender, words[0]] = int(words[1]) if len(words) > 1 else 0
    return found
