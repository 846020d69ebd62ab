"""How stacks are deployed: the options of the command line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from clusterlab.errors import UsageError

Resolve = Literal["always", "changed", "never"]


@dataclass(frozen=True)
class Deploying:
    """Options of `docker stack deploy`, and whether foreign stacks may be changed.

    Those that others deployed.

    `resolve_image` "" is `never` on machines that clusterlab made, and `changed` on others.
    """

    prune: bool = False
    resolve_image: Resolve | Literal[""] = ""
    registry_auth: bool = False
    adopt: bool = False

    def resolve(self, foreign: bool) -> Resolve:
        """When images are asked of their registry."""
        return self.resolve_image or ("changed" if foreign else "never")


AS_USUAL = Deploying()


def resolving(word: str) -> Resolve | Literal[""]:
    """The value of --resolve-image; raises UsageError."""
    known: tuple[Resolve, ...] = get_args(Resolve)
    for one in known:
        if word == one:
            return one
    if word:
        raise UsageError(f"--resolve-image: '{word}' is not one of {', '.join(known)}")
    return ""
