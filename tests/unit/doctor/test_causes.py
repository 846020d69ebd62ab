"""Failed preconditions of checks name doctor's code where there is one: both judge by the same objects."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import clusterlab.checks
from clusterlab.doctor.codes import DIAGNOSES, code_of

OF_PLAYS = {
    "container-missing": "what a play wants is not there: `clusterlab plan` says so",
    "container-paused": "somebody paused one container",
    "container-stopped": "one container ended; a service's tasks have CL213",
    "service-missing": "what a play wants is not there: `clusterlab plan` says so",
    "service-down": "it has several causes, each with a code: CL211, CL213, CL215, CL404",
    "actions-not-allowed": "the inventory gives no permission",
    "faults-not-allowed": "the inventory gives no permission",
    "lacks-inventory": "the inventory lacks what a check is about",
    "manager-not-at-work": "the inventory has a manager that the Swarm has as a worker: `clusterlab plan` says so",
}
"""Causes without a code of doctor, and why."""
_LITERAL = re.compile(r'Cause\(\s*"([a-z-]+)"|code, \w+ = \("([a-z-]+)", "[^"]*"\)(?: if .* else \("([a-z-]+)")?')


def _causes() -> set[str]:
    found: set[str] = set()
    for path in Path(str(clusterlab.checks.__file__)).parent.rglob("*.py"):
        found |= {one for groups in _LITERAL.findall(path.read_text()) for one in groups if one}
    return found


def test_every_cause_has_a_code_or_a_reason() -> None:
    causes = _causes()
    assert {"node-drained", "node-paused", "engine-down", "engine-silent", "host-unreachable"} <= causes
    assert causes == {cause for cause in causes if code_of(cause)} | (causes & set(OF_PLAYS))
    assert set(OF_PLAYS) <= causes
    assert not [cause for cause in OF_PLAYS if code_of(cause)]


@pytest.mark.parametrize(
    ("cause", "code"),
    [
        ("host-unreachable", "CL100"),
        ("engine-down", "CL100"),
        ("swarm-no-leader", "CL201"),
        ("swarm-inactive", "CL209"),
        ("node-drained", "CL210"),
        ("node-down", "CL218"),
        ("node-missing", "CL218"),
        ("nfs-server-down", "CL403"),
    ],
)
def test_the_code_of_a_cause(cause: str, code: str) -> None:
    assert code_of(cause) == code


def test_no_cause_has_two_codes() -> None:
    causes = [cause for one in DIAGNOSES.values() for cause in one.causes]
    assert sorted(causes) == sorted(set(causes))
