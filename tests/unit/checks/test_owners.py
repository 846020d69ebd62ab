"""Whose an address is."""

from __future__ import annotations

import pytest

from clusterlab.checks.owners import judge
from clusterlab.checks.place import Place

ALPHA, BETA, GAMMA = Place("host1", "alpha"), Place("host2", "beta"), Place("host2", "gamma")


@pytest.mark.parametrize(
    ("meant", "found", "wrong"),
    [
        ({BETA}, {BETA}, ""),
        ({BETA, GAMMA}, {GAMMA}, ""),
        ({BETA}, {ALPHA, BETA}, "10.0.2.2 belongs to alpha on host1 and beta on host2"),
        ({BETA, GAMMA}, {ALPHA, GAMMA}, "10.0.2.2 belongs to alpha on host1 and gamma on host2"),
        ({BETA}, {GAMMA}, "10.0.2.2 belongs to gamma on host2, not to beta on host2"),
        ({BETA}, set(), "10.0.2.2 is not an address of beta on host2"),
    ],
)
def test_an_address_must_be_that_of_the_target_alone(meant: set[Place], found: set[Place], wrong: str) -> None:
    assert judge("10.0.2.2", meant, found) == wrong
