"""What can go wrong with a fault. None of it is ever a pass."""

from __future__ import annotations

from clusterlab.errors import ClusterlabError

HEAL = "`clusterlab heal` heals what is recorded, and says what remains."


class Unsupported(ClusterlabError):
    """These machines cannot have this fault, for the reason given."""


class Refused(ClusterlabError):
    """The fault is not injected.

    It lacks permission, or would break more than it may.
    """


class NoEffect(ClusterlabError):
    """The fault was injected, or would have been, without proof of its effect."""


class EndedEarly(ClusterlabError):
    """The fault ended before it was healed: what was seen meanwhile proves nothing."""


class NotHealed(ClusterlabError):
    """The fault was healed, and nothing proves that it is gone.

    The lab stays marked until `clusterlab heal`.
    """


class Residue(ClusterlabError):
    """The fault is gone, and hosts are not as they were before."""
