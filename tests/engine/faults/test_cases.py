"""Every fault on real engines.

It takes effect, is healed, leaves nothing; without effect it is an error.

The files of cases/ have the form of `tests.support.fault_cases`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from clusterlab.errors import ClusterlabError
from clusterlab.faults import errors
from clusterlab.faults.injection import inject, injected
from clusterlab.faults.kinds import FAULTS
from clusterlab.faults.record import recorded, refuse_while_recorded
from clusterlab.faults.scene import Scene
from clusterlab.model import Lab
from clusterlab.model.faults import parse_fault
from clusterlab.model.inventory import Inventory
from clusterlab.waiting import wait_until
from tests.support.fault_cases import (
    NAMESPACES,
    REMAINS,
    cases,
    create_service,
    name,
    prepared,
    spec_of,
    with_service,
)
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


def test_no_directory_to_fill(lab: EngineLab) -> None:
    """Not through an injection: hosts in namespaces cannot have this fault, as their disk is the computer's."""
    kind: Any = FAULTS["fill_disk"]
    scene = Scene(lab.lab, lab.hosts)
    params = kind.model.model_validate({"host": "host2", "path": "/nowhere"})
    with pytest.raises(errors.NoEffect, match="there is no directory /nowhere on host2"):
        kind.before(params, scene)
    assert int(kind.before(params.model_copy(update={"path": "/var"}), scene)["free"]) > 0


@pytest.fixture
def theirs(lab: EngineLab) -> Iterator[Callable[[], str]]:
    """A service that somebody else created: what is seen of its container."""
    create_service(lab, "theirs")
    shows = "docker inspect --format '{{.Id}} {{.State.Status}} {{.State.StartedAt}}'"
    container = "$(docker ps --all --quiet --filter label=com.docker.swarm.service.name=theirs)"
    yield lambda: lab.hosts["host2"].run(f"{shows} {container}", check=True).stdout
    lab.hosts["host1"].run("docker service rm theirs", check=True)
    wait_until(lambda: lab.hosts["host2"].run(f'[ -z "{container}" ]').ok, "its task to end", 30.0)


def test_a_service_of_others_is_left_alone(lab: EngineLab, theirs: Callable[[], str]) -> None:
    """Permission to break machines is none to break what others run on them."""
    before = theirs()
    assert " running " in before
    for machines in ("existing", "namespaces"):
        inventory = {**lab.lab.inventory.model_dump(), "machines": machines, "allow_faults": True}
        scene = Scene(Lab(Inventory.model_validate(inventory)), lab.hosts)
        for fault in ("kill_task", "freeze_task"):
            with pytest.raises(errors.Refused, match=f"{fault}: the service theirs was not created by clusterlab"):
                inject(parse_fault({fault: {"service": "theirs"}}), scene)
            assert theirs() == before
    assert recorded(lab.lab.name) == []
