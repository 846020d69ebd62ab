"""Every fault on real engines: it takes effect, is healed, leaves nothing; without effect it is an error.

A file of cases/ is a list: `inject` is a fault as plays have it, `seen` and `unseen` are texts of the proof; or
`error` and `message` say what is raised. `before` and `after` are commands by host.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from clusterlab.errors import ClusterlabError
from clusterlab.faults import errors
from clusterlab.faults.injection import injected
from clusterlab.faults.record import recorded, refuse_while_recorded
from clusterlab.faults.scene import Scene
from clusterlab.model.faults import parse_fault
from clusterlab.remote import Hosts
from tests.support.labs import EngineLab, lab_in_swarm, namespaces_lab

pytestmark = pytest.mark.engine

_CASES = [
    case
    for path in sorted((Path(__file__).parent / "cases").glob("*.yml"))
    for case in yaml.safe_load(path.read_text())
]
_FIRST_SWITCH = "pgrep -f '[d]ead-man-1'"
_REMAINS = (
    "pgrep -f '[d]ead-man-'; ls /run/clusterlab/faults 2>/dev/null; "
    "nft list tables | grep clusterlab_; tc qdisc show | grep c1ab:"
)


@pytest.fixture(scope="module")
def lab() -> Iterator[EngineLab]:
    with lab_in_swarm(namespaces_lab(f"faults-{os.getpid()}", "10.67.0.0/24")) as up:
        yield up


@contextmanager
def _prepared(case: Mapping[str, Any], hosts: Hosts) -> Iterator[None]:
    for host, command in case.get("before", {}).items():
        hosts[host].run(command, check=True)
    try:
        yield
    finally:
        for host, command in case.get("after", {}).items():
            hosts[host].run(command, check=True)


@pytest.mark.parametrize("case", _CASES, ids=lambda case: f"{next(iter(case['inject']))}: {case['title']}")
def test_case(lab: EngineLab, case: Mapping[str, Any]) -> None:
    scene, spec = Scene(lab.lab, lab.hosts), parse_fault(case["inject"])
    with _prepared(case, lab.hosts):
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
    left = lab.hosts.each(lab.lab.inventory.hosts, lambda host: host.run(_REMAINS).stdout)
    assert set(left.values()) == {""}, left
