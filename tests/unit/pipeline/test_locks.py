"""Every verb declares its lock."""

from __future__ import annotations

import pytest

from clusterlab.cli.registry import load_verbs
from clusterlab.pipeline.lock import Exclusive, Unlocked

EXCLUSIVE = {
    "run",
    "up",
    "down",
    "provision",
    "apply",
    "check",
    "fault",
    "heal",
    "drill",
    "clean",
    "snapshot",
    "restore",
    "nightly",
    "gc",
}
EXCLUSIVE |= {"deprovision", "learn", "test-cluster", "rehearse"}


@pytest.mark.parametrize("verb", list(load_verbs()), ids=lambda verb: verb.name)
def test_verbs_that_change_a_lab_or_need_it_to_stay_exclude_others(verb: object) -> None:
    name, lock = getattr(verb, "name").replace("_", "-"), getattr(verb, "lock")  # noqa: B009
    if name in EXCLUSIVE:
        assert lock == Exclusive(name)
    else:
        assert isinstance(lock, Unlocked)
        assert lock.reason
