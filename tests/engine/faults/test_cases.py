"""Every fault on real engines.

It takes effect, is healed, leaves nothing; without effect it is an error.

The files of cases/ have the form of `tests.support.fault_cases`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from clusterlab.errors import ClusterlabError
from clusterlab.faults import errors
from clusterlab.faults.injection import injected
from clusterlab.faults.record import recorded, refuse_while_recorded
from clusterlab.faults.scene import Scene
from tests.support.fault_cases import NAMESPACES, REMAINS, cases, name, prepared, spec_of, with_service
from tests.support.labs import EngineLab, lab_in_swarm, namespaces_lab

pytestmark = pytest.mark.engine

_FIRST_SWITCH = "pgrep -f '[d]ead-man-1'"


@pytest.fixture(scope="module")
def lab() -> Iterator[EngineLab]:
    with lab_in_swarm(namespaces_lab(f"faults-{os.getpid()}", "10.67.0.0/24")) as up:
        with_service(up)
        yield up


@pytest.mark.parametrize("case", cases(NAMESPACES), ids=name)
def test_case(lab: EngineLab, case: Mapping[str, Any]) -> None:
    scene, spec = Scene(lab.lab, lab.hosts), spec_of(case)
    with prepared(case, lab.hosts):
        if "error" in case:
            with pytest.raises(getattr(errors, case["error"]), match=case["message"]), injected(spec, scene):
                pass
        else:
            with injected(spec, scene) as fault:
                assert [text for text in case["seen"] if text not in fault.seen] == []
                assert [text for text in case.get("unseen", []) if text in fault.seen] == []
                assert [one.id for one in recorded(lab.lab.name)] == [fault.id]
                with pytest.raises(ClusterlabError, match="is injected, or was not healed"):
                    refuse_while_recorded(lab.lab.name)
                fault.still()
                if scene.answers(fault.hosts[0]):
                    assert lab.hosts[fault.hosts[0]].run(_FIRST_SWITCH).stdout == ""
    assert recorded(lab.lab.name) == []
    left = lab.hosts.each(lab.lab.inventory.hosts, lambda host: host.run(REMAINS).stdout)
    assert set(left.values()) == {""}, left
