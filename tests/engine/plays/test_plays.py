"""All plays at once on one lab: made, proven, and removed without a trace.

What these machines cannot do is unsupported here, and is proven on virtual machines in tests/lab.
"""

from __future__ import annotations

import time

import pytest

from clusterlab.checks.chain import longest_chain
from clusterlab.plan.clean import clean, left_over
from clusterlab.plan.graph import carry_out
from clusterlab.progress import Silent
from clusterlab.results import Outcome
from tests.support.check_cases import told
from tests.support.play_bench import Stand

pytestmark = pytest.mark.engine


def test_all_plays_at_once_hold_and_nothing_is_left_to_do(stand: Stand) -> None:
    first = stand.apply([])
    assert first.ok, (first.failed, first.blocked)
    assert first.done
    began = time.monotonic()
    results = stand.check([])
    wall = time.monotonic() - began
    wrong = [one for one in results if one.outcome not in (Outcome.PASS, Outcome.UNSUPPORTED)]
    assert not wrong, "\n".join(f"{one.play}: {one.check}\n{told(one)}" for one in wrong)
    again = stand.apply([])
    assert again.ok
    assert not again.done
    chain = longest_chain(stand.lab([]), stand.hosts, results)
    print(f"{len(results)} checks, {wall / chain.seconds:.2f} times as long as their longest chain")
    assert wall < 1.5 * chain.seconds


def test_clean_leaves_nothing(stand: Stand) -> None:
    assert stand.apply([]).ok
    report = carry_out(clean(stand.lab([]).name, stand.hosts, delete_data=True), Silent())
    assert report.ok, (report.failed, report.blocked)
    assert left_over(stand.lab([]).name, stand.hosts) == []
    assert stand.left() == ["", ""]
