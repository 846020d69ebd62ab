"""Nodes that a check drained, and how they are given back.

A check ends its drains itself. One that is killed cannot: so a node has labels while it is drained that say for which
lab and play, and what its availability was. From these `clean` gives it back, whoever runs it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from clusterlab.remote import Host

from . import swarm_actions
from .base import Change, Difference, Key
from .kind import ResourceKind
from .observed import Json
from .scope import Scope, Wants

_LAB, _PLAY, _BEFORE = (f"org.clusterlab.drained-{word}" for word in ("by", "for", "from"))


@dataclass(frozen=True)
class Drained:
    """A node that is drained, by its id.

    `before` is its availability until then.
    """

    node: str
    lab: str
    play: str
    before: str


def drained(node: Json) -> Drained | None:
    """Who drained a node, as its labels say; None for one that no check drained."""
    labels = node["Spec"].get("Labels") or {}
    if _LAB not in labels:
        return None
    return Drained(str(node["ID"]), labels[_LAB], labels.get(_PLAY, ""), labels.get(_BEFORE, "active"))


def begin(manager: Host, one: Drained) -> None:
    """Drain a node and label it, in one step."""
    labels = {_LAB: one.lab, _PLAY: one.play, _BEFORE: one.before}
    swarm_actions.set_availability(manager, one.node, "drain", labels)


def end(manager: Host, one: Drained) -> None:
    """Give a node its availability back, and remove the labels."""
    swarm_actions.set_availability(manager, one.node, one.before, dict.fromkeys((_LAB, _PLAY, _BEFORE)))


class DrainKind(ResourceKind[None, Drained]):
    """Drains that outlived their check: nothing wants them, and `clean` ends them."""

    name = "drain"

    def wanted(self, wants: Wants) -> Mapping[Key, None]:
        return {}

    def manual(self, wanted: None) -> str:
        return ""

    def observe(self, scope: Scope) -> Mapping[Key, Drained]:
        return {
            Key(swarm, self.name, str(node["Description"]["Hostname"])): found
            for swarm, view in scope.swarms.items()
            for node in view.nodes
            if (found := drained(node))
        }

    def differences(self, wanted: None, found: Drained) -> Sequence[Difference]:
        return ()

    def change(self, wants: Wants, scope: Scope, key: Key, wanted: None, found: Drained | None) -> None:
        return None

    def changes(self, wants: Wants, scope: Scope) -> Iterator[Change]:
        """None: `apply` does not ask for the nodes, so that it costs no request."""
        yield from ()

    def owns(self, lab: str, found: Drained) -> bool:
        return found.lab == lab

    def play(self, found: Drained) -> str | None:
        return found.play

    def remove(self, scope: Scope, key: Key, found: Drained, reason: str) -> Change:
        at = scope.at(key)
        labels = " ".join(f"--label-rm {label}" for label in (_LAB, _PLAY, _BEFORE))
        return Change(
            key=key,
            action="end",
            reason=f"a check that did not end drained {key.name}",
            command=f"docker node update --availability {found.before} {labels} {found.node}",
            carry_out=lambda: end(at.host, found),
            where=at.name,
        )


DRAIN = DrainKind()
