from __future__ import annotations

from clusterlab.nightly.compare import compare, compare_runs
from clusterlab.nightly.nightly_run import CheckId
from clusterlab.results import Outcome
from tests.support.nightly_runs import BEGAN, nightly_run, result

PASS, FAIL, FLAKY, ERROR = Outcome.PASS, Outcome.FAIL, Outcome.FLAKY, Outcome.ERROR
ONE, OTHER = CheckId("p", "one"), CheckId("p", "other")


def test_each_way_from_one_outcome_to_another() -> None:
    told = {
        (PASS, FAIL): "newly_failing",
        (FLAKY, ERROR): "newly_failing",
        (Outcome.WAIVED, FAIL): "newly_failing",
        (None, FAIL): "newly_failing",
        (FAIL, PASS): "newly_passing",
        (FAIL, ERROR): "still_failing",
        (PASS, FLAKY): "newly_flaky",
        (None, PASS): "appeared",
        (PASS, None): "gone",
    }
    for (was, now), wanted in told.items():
        before = {OTHER: PASS} | ({ONE: was} if was else {})
        changes = compare(before, {OTHER: PASS} | ({ONE: now} if now else {}), "r1", BEGAN)
        found = [name for name in {*told.values()} if getattr(changes, name)]
        assert found == [wanted], (was, now)


def test_failing_before_and_flaky_now_is_both_passing_and_flaky() -> None:
    changes = compare({ONE: FAIL}, {ONE: FLAKY}, "r1", BEGAN)
    assert (changes.newly_passing, changes.newly_flaky) == ([ONE], [ONE])


def test_the_same_is_no_change() -> None:
    for outcome in Outcome:
        assert not compare({ONE: outcome}, {ONE: outcome}, "r1", BEGAN).any


def test_plays_that_a_nightly_run_leaves_out_are_not_gone() -> None:
    assert not compare({ONE: PASS, CheckId("q", "one"): FAIL}, {ONE: PASS}, "r1", BEGAN).any


def test_two_kept_runs() -> None:
    changes = compare_runs(nightly_run(1, result(PASS, "a")), nightly_run(2, result(FAIL, "a")))
    assert changes.against == "r1"
    assert changes.newly_failing == [CheckId("volumes/nfs", "a")]
