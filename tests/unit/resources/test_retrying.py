"""What an engine fails to do in time is tried again, and only that."""

from __future__ import annotations

import pytest

from clusterlab.errors import HostError
from clusterlab.resources import retrying
from clusterlab.resources.retrying import ATTEMPTS, notes, retry_late

LATE = "attaching to network failed, make sure your network options are correct: context deadline exceeded"


class Engine:
    """Refuses so many requests before it does what it is asked for."""

    def __init__(self, refusals: int, message: str = LATE) -> None:
        self.asked = 0
        self._refusals = refusals
        self._message = message

    def __call__(self) -> str:
        self.asked += 1
        if self.asked <= self._refusals:
            raise HostError("host2", "cannot start container web", detail=self._message)
        return "id"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrying, "_PAUSE", 0.0)


def test_nothing_is_said_of_what_succeeds_at_once() -> None:
    assert retry_late(Engine(0)) == ("id", "")


def test_what_succeeds_later_says_so_and_why() -> None:
    found, note = retry_late(Engine(2))
    assert (found, note) == ("id", "succeeded at attempt 3; the one before: host2: cannot start container web")


def test_what_never_succeeds_fails_after_a_few_attempts() -> None:
    engine = Engine(99)
    with pytest.raises(HostError, match="cannot start container web"):
        retry_late(engine)
    assert engine.asked == ATTEMPTS


def test_another_failure_is_not_tried_again() -> None:
    engine = Engine(99, "no such image")
    with pytest.raises(HostError):
        retry_late(engine)
    assert engine.asked == 1


def test_a_refusal_for_good_is_not_tried_again_though_it_begins_like_a_late_answer() -> None:
    engine = Engine(99, "Could not attach to network mesh: rpc error: code = PermissionDenied desc = not attachable")
    with pytest.raises(HostError):
        retry_late(engine)
    assert engine.asked == 1


def test_notes_are_one_text() -> None:
    assert notes("", "first", "", "second") == "first; second"
    assert notes("", "") == ""
