"""Bringing machines up: as they were saved when they were provisioned, or new ones."""

from __future__ import annotations

from clusterlab.errors import ClusterlabError
from clusterlab.machines.saved_labs import saved_lab_of
from clusterlab.plan.provision import provision
from clusterlab.resources.base import Change
from clusterlab.waiting import wait_until

from .session import Session

_SETTLES_WITHIN = 90.0
"""Seconds in which machines that were saved must be as provisioned as they were: nodes of the Swarm ready, say."""


def bring_up(session: Session, *, fresh: bool = False, keep: bool = False) -> bool:
    """Make all machines exist and answer; returns whether all are new, with nothing on them.

    Where none exists, they start as the lab was saved, unless `fresh`: provisioned, with the Swarm's nodes ready. What
    is not so in time is not used again, and new machines are created.
    """
    saved = saved_lab_of(session.machines)
    if saved is None:
        session.machines.up(session.progress, keep=keep)
        return False
    new = saved.is_new
    if new and not fresh and (targets := saved.start(session.progress)):
        try:
            saved.set_clocks(session.connect(targets))
            _settle(session)
        except ClusterlabError as error:
            session.disconnect()
            saved.discard("; ".join(error.message.splitlines()), session.progress)
        else:
            return True
    session.machines.up(session.progress, keep=keep)
    return new


def _settle(session: Session) -> None:
    """Wait until provision has nothing to do. Raises ClusterlabError saying what it has to do."""
    left: list[Change] = []

    def settled() -> bool:
        left[:] = provision(session.lab, session.hosts, session.unsupported, session.progress)
        return not left

    with session.progress.task(session.lab.name, "waiting until it is as provisioned as it was"):
        wait_until(
            settled, "nothing to be left to provision", _SETTLES_WITHIN, seen=lambda: f"{left[0].key}: {left[0].reason}"
        )
