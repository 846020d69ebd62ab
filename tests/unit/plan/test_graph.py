"""Carrying out changes: order, overlap, failure, what is blocked, and interrupts."""

from __future__ import annotations

import _thread
import threading
import time
from collections.abc import Callable

import pytest

from clusterlab.errors import ClusterlabError, HostError
from clusterlab.plan.graph import carry_out
from clusterlab.progress import Silent
from clusterlab.resources.base import Change, Key


def key(name: str) -> Key:
    """host.name, or name on host "a"."""
    host, _, rest = name.rpartition(".")
    return Key(host or "a", "thing", rest)


def change(
    name: str,
    *needs: str,
    do: Callable[[], str | None] = lambda: None,
    blocked: str = "",
    flag: str = "",
    weight: int = 1,
) -> Change:
    wanted = frozenset(map(key, needs))
    return Change(key(name), "create", "missing", "true", do, needs=wanted, blocked=blocked, flag=flag, weight=weight)


def fail() -> None:
    raise HostError("a", "no such thing", remedy="Make one.")


def names(changes: list[Change]) -> list[str]:
    return sorted(one.key.name for one in changes)


class Overlap:
    """Counts how many of its `work` run at once."""

    def __init__(self, seconds: float = 0.05) -> None:
        self.seconds = seconds
        self.most = 0
        self._now = 0
        self._lock = threading.Lock()

    def work(self) -> None:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        time.sleep(self.seconds)
        with self._lock:
            self._now -= 1


def test_a_change_comes_after_everything_that_it_needs() -> None:
    order: list[str] = []
    changes = [
        change("last", "left", "right", do=lambda: order.append("last")),
        change("left", "first", do=lambda: order.append("left")),
        change("right", "first", do=lambda: order.append("right")),
        change("first", do=lambda: order.append("first")),
    ]
    report = carry_out(changes, Silent())
    assert report.ok
    assert order[0] == "first"
    assert order[-1] == "last"
    assert sorted(order) == ["first", "last", "left", "right"]
    assert report.next_steps() == []


def test_what_a_change_says_of_how_it_went_is_kept() -> None:
    report = carry_out([change("one"), change("two", do=lambda: "succeeded at attempt 2")], Silent())
    assert report.notes() == ["a: thing two: succeeded at attempt 2"]


def test_what_no_change_stands_for_is_met_already() -> None:
    assert names([done.change for done in carry_out([change("x", "elsewhere")], Silent()).done]) == ["x"]


def test_independent_changes_overlap_up_to_the_bound_of_their_host() -> None:
    overlap = Overlap()
    carry_out([change(f"a.{n}", do=overlap.work) for n in range(12)], Silent(), per_host=3)
    assert overlap.most == 3


def test_hosts_have_bounds_of_their_own_and_there_is_one_for_all() -> None:
    overlap = Overlap()
    changes = [change(f"{host}.{n}", do=overlap.work) for host in "abcd" for n in range(4)]
    carry_out(changes, Silent(), per_host=2)
    assert overlap.most == 8
    overlap = Overlap()
    changes = [change(f"{host}.{n}", do=overlap.work) for host in "abcd" for n in range(4)]
    carry_out(changes, Silent(), per_host=2, limit=5)
    assert overlap.most == 5


def test_a_host_that_bears_less_gets_fewer_at_a_time() -> None:
    small, large = Overlap(), Overlap()
    changes = [change(f"small.{n}", do=small.work) for n in range(6)]
    changes += [change(f"large.{n}", do=large.work) for n in range(6)]
    carry_out(changes, Silent(), per_host=4, bounds={"small": 2})
    assert (small.most, large.most) == (2, 4)


def test_what_most_others_wait_for_begins_first() -> None:
    order: list[str] = []
    changes = [
        change("alone", do=lambda: order.append("alone")),
        change("first", do=lambda: order.append("first")),
        change("second", "first", do=lambda: order.append("second")),
        change("third", "second", do=lambda: order.append("third")),
        change("service", do=lambda: order.append("service"), weight=4),
    ]
    carry_out(changes, Silent(), per_host=1)
    assert order == ["service", "first", "second", "alone", "third"]


def test_what_does_not_differ_begins_in_the_given_order() -> None:
    order: list[str] = []
    changes = [change(name, do=lambda name=name: order.append(name)) for name in ("c", "a", "b")]  # type: ignore[misc]
    carry_out(changes, Silent(), per_host=1)
    assert order == ["c", "a", "b"]


def test_a_full_host_does_not_hold_up_another() -> None:
    began: dict[str, float] = {}
    changes = [change(f"a.{n}", do=lambda: time.sleep(0.2)) for n in range(4)]
    changes.append(change("b.quick", do=lambda: began.__setitem__("b", time.monotonic())))
    start = time.monotonic()
    carry_out(changes, Silent(), per_host=1)
    assert began["b"] - start < 0.2


def test_a_failure_keeps_back_only_what_needs_it_and_says_so() -> None:
    changes = [
        change("broken", do=fail),
        change("child", "broken"),
        change("grandchild", "child", "fine"),
        change("fine"),
        change("other", "fine"),
    ]
    report = carry_out(changes, Silent())
    assert names([one.change for one in report.done]) == ["fine", "other"]
    assert [(one.change.key.name, str(one.error)) for one in report.failed] == [("broken", "a: no such thing")]
    assert {one.change.key.name: one.because for one in report.skipped} == {
        "child": (key("broken"),),
        "grandchild": (key("broken"),),
    }
    assert not report.ok
    assert report.next_steps()[0] == "a: thing broken: Make one."


def test_a_blocked_change_is_not_made_nor_what_needs_it() -> None:
    def never() -> None:
        pytest.fail("carried out")

    changes = [
        change("blocked", do=never, blocked="would lose data", flag="--allow-data-loss"),
        change("child", "blocked", do=never),
        change("fine"),
    ]
    report = carry_out(changes, Silent())
    assert names(report.blocked) == ["blocked"]
    assert [(one.change.key.name, one.because) for one in report.skipped] == [("child", (key("blocked"),))]
    assert names([one.change for one in report.done]) == ["fine"]
    assert any("--allow-data-loss" in step for step in report.next_steps())


def test_the_causes_of_a_skipped_change_are_all_named() -> None:
    changes = [change("x", do=fail), change("y", blocked="not ours"), change("z", "x", "y")]
    assert carry_out(changes, Silent()).skipped[0].because == (key("x"), key("y"))


def test_contradicting_changes_are_a_defect_and_said_clearly() -> None:
    with pytest.raises(ValueError, match=r"changes depend on each other: .*a: thing x"):
        carry_out([change("x", "y"), change("y", "x")], Silent())
    with pytest.raises(ValueError, match="more than one change for a: thing x"):
        carry_out([change("x"), change("x")], Silent())


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_defect_in_a_change_is_not_hidden() -> None:
    def defect() -> None:
        raise KeyError("oops")

    with pytest.raises(KeyError, match="oops"):
        carry_out([change("x", do=defect)], Silent())
    for thread in threading.enumerate():
        if thread.name == "a: thing x":
            thread.join()


def interrupt() -> None:
    _thread.interrupt_main()
    time.sleep(0.2)


def test_an_interrupt_lets_what_is_under_way_end_and_begins_nothing_more() -> None:
    changes = [
        change("first"),
        change("second", "first", do=interrupt),
        change("third", "second"),
        change("fourth", "third"),
    ]
    report = carry_out(changes, Silent(), grace=5)
    assert report.interrupted
    assert not report.ok
    assert names([one.change for one in report.done]) == ["first", "second"]
    assert names(report.waiting) == ["fourth", "third"]
    assert report.unfinished == []
    assert "Run the same command again" in report.next_steps()[-1]


def test_after_an_interrupt_the_wait_is_bounded() -> None:
    release = threading.Event()

    def stuck() -> None:
        _thread.interrupt_main()
        release.wait(30)

    start = time.monotonic()
    report = carry_out([change("stuck", do=stuck), change("next", "stuck")], Silent(), grace=0.5)
    assert time.monotonic() - start < 5
    assert names(report.unfinished) == ["stuck"]
    assert names(report.waiting) == ["next"]
    release.set()


def test_a_failure_during_an_interrupt_is_reported_as_such() -> None:
    def interrupted_failure() -> None:
        interrupt()
        raise ClusterlabError("went wrong")

    report = carry_out([change("x", do=interrupted_failure)], Silent(), grace=5)
    assert [one.error.message for one in report.failed] == ["went wrong"]
    assert report.unfinished == []
    assert report.waiting == []
