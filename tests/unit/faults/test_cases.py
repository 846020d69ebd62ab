"""Every kind of fault is proven both ways on real hosts: with effect, and without one or refused, as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from clusterlab.faults import errors
from clusterlab.faults.kinds import FAULTS
from clusterlab.faults.names import OWN
from clusterlab.machines.kinds import MACHINE_KINDS
from tests.support.fault_cases import NAMESPACES, QEMU, cases, name, spec_of

OF = {"namespaces": cases(NAMESPACES), "qemu": cases(QEMU)}
"""The cases by the machines that they are for."""
ALL = [case for found in OF.values() for case in found]
_KEYS = {"title", "inject", "before", "after", "seen", "unseen", "error", "message"}


@pytest.mark.parametrize("kind", OWN)
def test_it_has_cases_both_ways_on_machines_that_can_have_it(kind: str) -> None:
    able = [one for one in OF if not FAULTS[kind].reason(MACHINE_KINDS[one])]
    of_kind = [case for machines in able for case in OF[machines] if kind in case["inject"]]
    assert {"error" in case for case in of_kind} == {True, False}


@pytest.mark.parametrize("case", ALL, ids=name)
def test_a_case_says_what_is_injected_and_what_is_seen(case: Mapping[str, Any]) -> None:
    assert case.keys() <= _KEYS
    assert spec_of(case).name in OWN
    if "error" in case:
        assert issubclass(getattr(errors, case["error"]), Exception)
        assert case["message"]
        assert "seen" not in case
    else:
        assert case["seen"]
