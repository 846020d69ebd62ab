"""The connectivity test on three virtual machines, all of them Docker hosts: sound, and broken one thing at a time.

connectivity/*.yml say how a thing is broken, which properties are then tested, and what is printed of the statements
that do not pass; all others must pass, and all of them again once it is healed:

    only: [ping, tcp]                  # as for --only
    break: {host2: "a shell command"}
    heal: {host2: "what undoes it"}    # what the test created and this removes is created again
    apply: [what is printed]           # when what the test creates is created again, and the broken node cannot have it
    outcome: blocked                   # fail unless given
    prints: {the title of a statement: [what is printed of it]}
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from clusterlab.build.container_image import built_image
from clusterlab.connectivity import connectivity
from clusterlab.connectivity.names import TITLE
from clusterlab.connectivity.play import Options, with_test
from clusterlab.connectivity.removal import removal
from clusterlab.connectivity.survey import survey
from clusterlab.machines.qemu.lab import QemuMachines
from clusterlab.model import Lab
from clusterlab.model.inventory import Inventory
from clusterlab.model.source import read
from clusterlab.pipeline.lock import Exclusive
from clusterlab.pipeline.pipeline import NotConverged, Pipeline
from clusterlab.pipeline.session import Session, open_session
from clusterlab.pipeline.stages import Stages
from clusterlab.progress import Silent
from clusterlab.reports.summary import Run
from clusterlab.reports.terminal import show_results
from clusterlab.results import Outcome, Result
from tests.lab.conftest import LAB, LOGS
from tests.support import registry
from tests.support.check_cases import broken, case_files

PORT = 15095
REGISTRY = f"10.0.2.2:{PORT}"
"""On this computer's loopback, where QEMU's user network leads; see tests/lab/connectivity/registry-unreachable.yml."""
INVENTORY = {
    "lab": f"{LAB}-nodes",
    "machines": "qemu",
    "network": {"subnet": "192.168.95.0/24"},
    "hosts": {
        "gw": {"address": "192.168.95.1", "roles": ["docker", "swarm_worker", "nfs_server"]},
        "host1": {"address": "192.168.95.11", "roles": ["docker", "swarm_manager"]},
        "host2": {"address": "192.168.95.12", "roles": ["docker", "swarm_worker"]},
    },
    "nfs": {"exports": [{"path": "/shares", "clients": "192.168.95.0/24", "options": ["rw", "sync", "root_squash"]}]},
    "engine": {"insecure-registries": [REGISTRY]},
    "allow_actions": True,
}
_IMAGE = f"{REGISTRY}/tool:1@sha256:{'0' * 64}"
_NFS = "-o type=nfs -o o=addr=192.168.95.1,ro,nfsvers=4.2 -o device=:/others"
OTHERS = {
    "gw": "mkdir /others && exportfs -o ro,sync,no_subtree_check 192.168.95.0/24:/others",
    "host2": f"docker volume create {_NFS} others",
    "host1": f"docker service create -qd --no-resolve-image --replicas 0 --name others {_IMAGE}",
}
"""What others have there: an export that the inventory does not name and a volume of it, and a service."""
CASES = case_files(Path(__file__).parent / "connectivity")
STANDING = sorted({name for path in CASES for name in read(path).value["only"]})
"""The properties whose objects stand on the nodes for all cases."""
FLOOR = "100K"  # of which an emulated machine is sure, whatever else this computer does
_SLOWEST = 8  # changes of a stage that are printed
_ROUNDS = 3  # of apply: on a busy machine the Swarm may not attach a container to its network in time


@dataclass
class Nodes:
    """Three nodes, and one session with them."""

    lab: Lab
    session: Session

    def pipeline(self, *only: str) -> Pipeline:
        """That of the test of these properties."""
        self.session.lab = with_test(self.lab, Options(properties=only), survey(self.session.hosts, self.lab.inventory))
        return Pipeline(self.session)

    def stand(self) -> None:
        """Create what all cases need; raises NotConverged when that fails each time."""
        for _ in range(_ROUNDS - 1):
            with suppress(NotConverged):
                self.pipeline(*STANDING).apply()
                return
        self.pipeline(*STANDING).apply()

    def results(self, *only: str) -> tuple[list[Result], str]:
        """The results of these properties, and what is printed of them."""
        pipeline = self.pipeline(*only)
        pipeline.check()
        return pipeline.results, printed(pipeline.results)


def printed(results: list[Result]) -> str:
    console = Console(file=StringIO(), width=200, color_system=None)
    show_results(console, Run(LAB, TITLE, results=list(results)))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    print(text)
    return str(text)


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    lab = Lab(inventory=Inventory.model_validate(INVENTORY), folder=tmp_path_factory.mktemp("nodes"))
    machines = QemuMachines(lab)
    machines.down(Silent())
    image = built_image("busybox", lab.inventory.release, Silent())
    try:
        machines.up(Silent())
        with registry.served(image.path, PORT), open_session(lab, Silent(), Exclusive(TITLE)) as session:
            Pipeline(session).provision()
            session.hosts["gw"].run("chmod 1777 /shares", check=True)
            yield Nodes(lab, session)
    finally:
        machines.collect(LOGS, Silent())
        machines.down(Silent())


@pytest.fixture(scope="module")
def used(nodes: Nodes) -> Nodes:
    """The nodes with what others have there."""
    for host, command in OTHERS.items():
        nodes.session.hosts[host].run(command, check=True, timeout=120)
    return nodes


@pytest.fixture(scope="module")
def standing(used: Nodes) -> Nodes:
    """What the test creates stands on the nodes for all cases."""
    used.stand()
    return used


def test_sound_nodes_pass_quickly(nodes: Nodes) -> None:
    untested = passes_and_leaves_nothing(nodes, Options(quick=True, floor=FLOOR))
    assert [one.partition(":")[0] for one in untested] == ["mounts", "registry", "outside"]


def passes_and_leaves_nothing(nodes: Nodes, options: Options) -> list[str]:
    """What is not tested; what the test takes is printed, for it depends on what else runs on this computer."""
    stages, began = Stages(), time.monotonic()
    nodes.session.lab = with_test(nodes.lab, options)
    pipeline = Pipeline(nodes.session)
    connectivity.carry_out(pipeline, stages, options)
    print(f"{options} on three machines: {time.monotonic() - began:.1f} s, {stages.seconds()}")
    for stage, report in pipeline.reports.items():
        for done in sorted(report.done, key=lambda one: -one.seconds)[:_SLOWEST]:
            print(f"  {done.seconds:6.1f} s  {stage}  {done.change.key}")
        for note in report.notes():
            print(f"  {stage}  {note}")
    slowest = sorted(pipeline.results, key=lambda result: -result.seconds)
    print(*(f"  {one.seconds:6.1f} s  {one.outcome}  {one.check}" for one in slowest), sep="\n", flush=True)
    assert [(one.name, one.message, one.detail) for one in stages.noted if one.outcome != "done"] == []
    assert {one.outcome for one in pipeline.results} == {Outcome.PASS}, printed(pipeline.results)
    assert removal(nodes.session.lab, nodes.session.hosts) == []
    return next(one.message for one in stages.noted if one.name == "survey").removeprefix("not tested: ").split("; ")


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_what_is_broken_is_named_by_node_and_nothing_else_fails(standing: Nodes, path: Path) -> None:
    case: dict[str, Any] = read(path).value
    outcome = Outcome(case.get("outcome", "fail"))
    try:
        with broken(case, standing.session.hosts):
            if "apply" in case:
                with pytest.raises(NotConverged) as caught:
                    standing.pipeline(*STANDING).apply()
                assert [text for text in case["apply"] if text not in caught.value.detail] == [], caught.value.detail
            results, text = standing.results(*case["only"])
    finally:
        standing.stand()
    wrong = {one.check: one.outcome for one in results if one.outcome is not Outcome.PASS}
    assert wrong == dict.fromkeys(case["prints"], outcome), text
    assert [part for parts in case["prints"].values() for part in parts if part not in text] == [], text
    results, text = standing.results(*case["only"])
    assert {one.outcome for one in results} == {Outcome.PASS}, text


def test_what_a_cluster_has_is_tested_and_passes(used: Nodes) -> None:
    assert passes_and_leaves_nothing(used, Options(floor=FLOOR)) == ["outside: --outside was not given"]
