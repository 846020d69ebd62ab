"""What `explain` says to type, typed on real engines: it makes what a play wants, and shows what is true."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from clusterlab.capabilities import Capabilities
from clusterlab.checks.places import Places
from clusterlab.checks.subjects import subjects
from clusterlab.checks.unsupported import unmet_need
from clusterlab.manual.lesson import Lesson, Part, lesson
from clusterlab.manual.script import script
from clusterlab.model import load_inventory, load_lab
from clusterlab.model.play_files import play_names
from clusterlab.plan.apply import apply
from clusterlab.plan.clean import clean, left_over
from clusterlab.plan.graph import carry_out
from clusterlab.progress import Silent
from clusterlab.remote import Hosts, ssh_argv
from clusterlab.remote.target import Target
from tests.support.check_cases import PLAYBOOKS, read_case
from tests.support.labs import lab_in_swarm
from tests.support.manual_typing import Typist

pytestmark = pytest.mark.engine

INVENTORY = PLAYBOOKS.parent / "inventory" / "namespaces.yml"
# Drills have nothing to type, and the images of stacks are in no registry.
PLAYS = [name for name in play_names(PLAYBOOKS) if not name.startswith(("drills/", "stacks/"))]
CASES = PLAYBOOKS.parent / "tests" / "engine" / "plays" / "broken"
ON_MACHINES = {"networks/overlay", "networks/service"}  # tests/lab types these, on virtual machines
BROKEN = ["anonymous-unnamed", "config-writable"]
BROKEN_TOO = [
    "bind-other-group",
    "bridge-default-forwarded",
    "bridge-moved",
    "isolation-connected",
    "volumes-from-apart",
]


def parameters(short: Iterable[str], long: Iterable[str]) -> list[Any]:
    return [*short, *(pytest.param(one, marks=pytest.mark.long) for one in sorted(long))]


@dataclass(frozen=True)
class Stand:
    """A lab that is provisioned, with nothing on it."""

    inventory: Path
    hosts: Hosts
    targets: dict[str, Target]
    unsupported: Capabilities
    scratch: Path

    def lesson(self, play: str) -> Lesson:
        return lesson(
            load_lab(self.inventory, [play], PLAYBOOKS), play, str(self.inventory), Silent(), self.unsupported
        )

    def supported(self, one: Lesson) -> list[Part]:
        """The statements that can be proven on these machines."""
        lab = load_lab(self.inventory, [one.name], PLAYBOOKS)
        places = Places(lab, lab.plays[one.name], self.hosts)
        return [
            part
            for part in one.statements
            if part.check and not unmet_need(part.check, lab, one.play, subjects(part.check, places), self.unsupported)
        ]

    @contextmanager
    def created_manually(self, one: Lesson) -> Iterator[Typist]:
        """What the lesson makes stands inside the block, and is removed after it."""
        typist = Typist(self.hosts, self.scratch)
        name = load_inventory(self.inventory).name
        try:
            assert typist.type(one.making) == {}
            yield typist
        finally:
            report = carry_out(clean(name, self.hosts, delete_data=True), Silent())
            assert report.ok, (report.failed, report.blocked)
            assert left_over(name, self.hosts) == []


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    scratch = tmp_path_factory.mktemp("lab")
    file = scratch / "inventory.yml"
    inventory = yaml.safe_load(INVENTORY.read_text()) | {"lab": f"explain-{os.getpid()}"}
    file.write_text(yaml.safe_dump(inventory, sort_keys=False))
    with lab_in_swarm(load_inventory(file)) as lab:
        yield Stand(file, lab.hosts, dict(lab.machines.targets()), lab.machines.unsupported(), scratch)


@pytest.mark.parametrize("play", parameters([play for play in PLAYS if play not in ON_MACHINES], ON_MACHINES))
def test_typed_manually_every_statement_holds_and_apply_finds_nothing_to_do(stand: Stand, play: str) -> None:
    one = stand.lesson(play)
    with stand.created_manually(one) as typist:
        assert typist.type(stand.supported(one)) == {}
        lab = load_lab(stand.inventory, [play], PLAYBOOKS)
        changes = apply(lab, stand.hosts, unsupported=stand.unsupported)
        assert [f"{change.key}: {change.reason}" for change in changes] == []


@contextmanager
def broken_for_a_while(case: Mapping[str, Any], hosts: Hosts) -> Iterator[None]:
    """A person goes on after a line that does not hold, so what heals may find that it has nothing to do."""
    try:
        for host, command in case["break"].items():
            hosts[host].run(command, check=True, timeout=120)
        yield
    finally:
        for host, command in case.get("heal", {}).items():
            hosts[host].run(command, timeout=120)


@pytest.mark.parametrize("name", parameters(BROKEN, BROKEN_TOO))
def test_typed_manually_on_a_broken_lab_the_same_statements_fail(stand: Stand, name: str) -> None:
    case = read_case(CASES / f"{name}.yml")
    (play,) = case["plays"]
    one = stand.lesson(play)
    expected = {item["check"] for item in case["expect"] if item["outcome"] in ("fail", "error")}
    with stand.created_manually(one) as typist, broken_for_a_while(case, stand.hosts):
        wrong = typist.type(stand.supported(one))
    # An action that has nothing to do, as connecting what is connected, is an error when it is typed.
    acting = {part.title for part in one.statements if part.check and any(step.do for step in part.check.steps)}
    assert expected <= set(wrong) <= expected | acting, wrong


def test_a_question_that_did_not_leave_proves_no_absence(stand: Stand) -> None:
    """Of a command that cannot be run there, or is bound to no interface, the failure counts for nothing."""
    one = stand.lesson("networks/isolation")
    apart = next(part for part in one.statements if part.title.startswith("red does not reach the address"))
    with stand.created_manually(one) as typist:
        assert typist.type([apart]) == {}
        for change in (
            ("docker exec ", "docker exec --user nobody-at-all "),
            ("ping -c", "ping -I nosuch0 -c"),
            ("ping ", "pong "),
        ):
            lines = [replace(line, proof=line.proof.replace(*change)) for line in apart.lines]
            assert any(line.proof not in [other.proof for other in apart.lines] for line in lines), change
            assert typist.type(
                [replace(apart, lines=tuple(line for line in lines if not line.wanted.startswith("as")))]
            )
        stand.hosts[apart.lines[-1].host].run("docker network connect blue_net red", check=True)
        assert apart.title in typist.type([apart])


def test_the_script_of_a_host_proves_the_same(stand: Stand) -> None:
    one = stand.lesson("volumes/shared")
    copies = [part for part in one.making if part.lines[0].host == ""]
    assert Typist(stand.hosts, stand.scratch).type(copies) == {}
    text = script(one, ["host1"])
    try:
        ended = _given_to_sh(stand.targets["host1"], text)
        assert ended.returncode == 0, ended.stderr
        stand.hosts["host1"].run(
            "docker exec -d betahost sh -c 'umount /data; rm -rf /data'; docker stop -t 0 betahost"
        )
        ended = _given_to_sh(stand.targets["host1"], text.partition("# betahost reads")[2])
        assert ended.returncode == 1
        assert "does not hold" in ended.stderr
        assert "both containers have the same file system mounted" in ended.stderr
    finally:
        carry_out(clean(load_inventory(stand.inventory).name, stand.hosts, delete_data=True), Silent())


def _given_to_sh(target: Target, text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ssh_argv(target, ["sh"]), input=text, capture_output=True, text=True, check=False, timeout=120
    )
