"""A play that has a stack.

What checks may name of it, and the statements that follow from it.
"""

from __future__ import annotations

from collections.abc import Iterable

from clusterlab.model.external import ExternalNetwork, ExternalVolume
from clusterlab.model.playbook import Play
from clusterlab.stacks.load import Loaded
from clusterlab.stacks.stack import Stack

from . import statements


def with_names(play: Play, loaded: Loaded | None) -> Play:
    """The play whose checks may name the services, networks and volumes of its stack.

    Nothing in it changes them.
    """
    if loaded is None or loaded.stack is None:
        return play
    stack, external = loaded.stack, play.external
    added = {
        "services": list(dict.fromkeys([*external.services, *map(stack.scoped, stack.services)])),
        "networks": {
            **{name: ExternalNetwork() for name in _networks(stack) if name not in play.networks},
            **external.networks,
        },
        "volumes": {**{stack.scoped(one): ExternalVolume() for one in stack.volumes.values()}, **external.volumes},
    }
    return play.model_copy(update={"external": external.model_copy(update=added)})


def with_statements(play: Play, loaded: Loaded | None, without: Iterable[str] = ()) -> Play:
    """The play with the statements that follow from its stack, behind its own.

    See `statements` for `without`.
    """
    if loaded is None or loaded.stack is None:
        return play
    derived = [one.check for one in statements(loaded.stack, {*without, *loaded.without})]
    return play.model_copy(update={"checks": [*play.checks, *derived]})


def _networks(stack: Stack) -> list[str]:
    return [name for name in map(stack.scoped_network, stack.used_networks()) if name not in ("host", "none", "bridge")]
