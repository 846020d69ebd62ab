"""Which drills a command line means."""

from __future__ import annotations

from pathlib import Path

import pytest

from clusterlab.capabilities import Capabilities
from clusterlab.cli.drilling import parse_seconds, planned
from clusterlab.errors import UsageError
from clusterlab.model import load_lab
from clusterlab.model.stack_files import StackFiles
from clusterlab.pipeline.lock import Unlocked
from clusterlab.pipeline.session import Session
from clusterlab.progress import Silent
from tests.support.check_cases import PLAYBOOKS

INVENTORY = PLAYBOOKS.parent / "inventory" / "namespaces.yml"
DRILL = "{title: cut off, probers: {ssh: {tcp: {port: 22, at: host2}, from: gw}}, faults: [{isolate: {host: host2}}], "
PLAYS = {
    "own.yml": f"title: with a drill\ndrills: [{DRILL}during: [{{prober: ssh, expect: fails}}]}}]\n",
    "shop.yml": "title: a stack without drills\nstack: {files: [stack.yaml]}\n",
    "stack.yaml": "services:\n  web: {image: shell}\n",
}
OF_STACK = [
    "host2 loses power",
    "a task of web is killed",
    "host1 is drained",
    "host2 is drained",
    "host1 loses power, the only manager",
]


def session(folder: Path, plays: list[str], stacks: list[StackFiles]) -> Session:
    for name, text in PLAYS.items():
        (folder / name).write_text(text)
    (folder / "stack.yaml").rename(folder.parent / "stack.yaml")
    (folder / "shop.yml").write_text(PLAYS["shop.yml"].replace("stack.yaml", "../stack.yaml"))
    opened = Session(load_lab(INVENTORY, plays, folder, stacks), Silent(), Unlocked("reads only"))
    opened.__dict__["unsupported"] = Capabilities()
    return opened


@pytest.fixture
def playbooks(tmp_path: Path) -> Path:
    (tmp_path / "playbooks").mkdir()
    return tmp_path / "playbooks"


def titles(opened: Session, words: list[str]) -> list[str]:
    return [plan.title for plan in planned(opened, words).plans]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], ["cut off", *OF_STACK]),
        (["own"], ["cut off"]),
        (["shop"], OF_STACK),
        (["shop:host1 is drained"], ["host1 is drained"]),
        (["own", "shop:host1 is drained"], ["cut off", "host1 is drained"]),
    ],
)
def test_plays_and_their_stacks(playbooks: Path, words: list[str], expected: list[str]) -> None:
    opened = session(playbooks, [word.partition(":")[0] for word in words], [])
    assert titles(opened, words) == expected


def test_a_stack_file(playbooks: Path) -> None:
    stacks = [StackFiles(files=[str(playbooks.parent / "stack.yaml")], name="alone")]
    work = planned(session(playbooks, [], stacks), [], 30.0)
    assert [plan.title for plan in work.plans] == OF_STACK
    assert work.plans[0].drill.lasts == 30.0
    assert next(one.when for one in work.of_stacks) == "host2 is lost"


def test_a_drill_that_the_stack_does_not_have(playbooks: Path) -> None:
    opened = session(playbooks, ["shop"], [])
    with pytest.raises(UsageError, match="there is no drill 'host9 is drained'"):
        planned(opened, ["shop:host9 is drained"])


@pytest.mark.parametrize("text", ["0", "soon", "-3", "841", "1.5"])
def test_seconds_that_no_fault_may_last(text: str) -> None:
    with pytest.raises(UsageError, match="--lasts must be a number of seconds from 1 to 840"):
        parse_seconds(text)


def test_seconds() -> None:
    assert (parse_seconds(""), parse_seconds("30")) == (None, 30.0)
