"""Rehearsals on real engines: a stack that holds, one that does not, the way back, and a step that fails."""

from __future__ import annotations

import os
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from clusterlab.cli.rehearsing import show_steps
from clusterlab.model import Lab, load_lab
from clusterlab.model.stack_files import StackFiles
from clusterlab.pipeline.lock import Unlocked
from clusterlab.pipeline.session import Session
from clusterlab.plan.graph import carry_out
from clusterlab.plan.provision import provision
from clusterlab.progress import Silent
from clusterlab.pytest_plugin.bench import Bench
from clusterlab.pytest_plugin.own_lab import temporary_lab
from clusterlab.rehearsal.rehearse import Rehearsal, rehearse
from clusterlab.results import Outcome
from tests.support.rehearsal_lab import INVENTORY as ON_THREE_HOSTS
from tests.support.rehearsal_lab import STACK

pytestmark = pytest.mark.engine

INVENTORY = {"lab": f"rehearsal-{os.getpid()}", **ON_THREE_HOSTS}


@dataclass(frozen=True)
class Stand:
    """A lab that is provisioned, with the stack on it."""

    folder: Path
    bench: Bench

    def lab(self, **of_hosts: dict[str, Any]) -> Lab:
        """The lab of the inventory, with more keys of some hosts."""
        changed = deepcopy(INVENTORY)
        for name, keys in of_hosts.items():
            changed["hosts"][name] |= keys
        file = self.folder / f"{'-'.join(of_hosts) or 'before'}.yml"
        file.write_text(yaml.safe_dump(changed, sort_keys=False))
        return load_lab(file, stacks=[StackFiles(files=[str(self.folder / "stack.yml")], name="shop")])

    def rehearse(self, after: Lab) -> Rehearsal:
        found = Rehearsal()
        session = Session(self.lab(), Silent(), Unlocked("a test has the lab alone"))
        with session.hosts:
            rehearse(session, after, found)
        return found

    def plan(self) -> list[str]:
        """What provision would change."""
        return [str(change.key) for change in provision(self.lab(), self.bench.hosts, self.bench.session.unsupported)]


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    folder = tmp_path_factory.mktemp("rehearsal")
    (folder / "stack.yml").write_text(STACK)
    file = folder / "inventory.yml"
    file.write_text(yaml.safe_dump(INVENTORY, sort_keys=False))
    lab = load_lab(file, stacks=[StackFiles(files=[str(folder / "stack.yml")], name="shop")])
    with temporary_lab(lab) as bench:
        yield Stand(folder, bench)


def told(found: Rehearsal) -> list[tuple[str, str, Outcome]]:
    return [(one.play, one.check, one.outcome) for one in found.results]


@pytest.mark.long
def test_options_labels_and_roles_there_and_back(stand: Stand) -> None:
    after = stand.lab(
        host2={"engine": {"mtu": 1400}}, host3={"labels": {"disk": "ssd"}, "roles": ["docker", "swarm_manager"]}
    )
    found = stand.rehearse(after)
    said = "\n".join(found.notes)
    outcomes = {(one.play, one.check.partition(":")[0]): one.outcome for one in found.results}
    assert outcomes == {
        ("the change", "host2"): Outcome.FAIL,  # the database is bound to it
        ("the change", "host3"): Outcome.PASS,
        ("the way back", "host2"): Outcome.FAIL,
        ("the way back", "host3"): Outcome.PASS,
        ("the way back", "the cluster is as before"): Outcome.FAIL,
    }, (told(found), said)
    # provision sets labels of nodes, and takes none away: everything else is as before
    assert found.results[-1].evidence[0].found == "host3 labels: none before, disk=ssd now"
    away = [note for note in found.notes if note.startswith("database is away for ")]
    assert len(away) == 2, said
    assert all(
        "because its volume data is local to host2, and node.hostname == host2 keeps it there" in one for one in away
    )
    assert not [note for note in found.notes if note.startswith("web ")], said
    assert "after the change: host2 docker0 mtu: 1500 before, 1400 now" in found.notes
    assert "after the change: host3 role: worker before, manager now" in found.notes
    assert any(note.startswith("after the change: host3 labels: ") and "disk=ssd" in note for note in found.notes)
    assert stand.plan() == []


def test_a_step_that_fails_stops_everything_and_says_how_to_go_on(stand: Stand) -> None:
    found = stand.rehearse(stand.lab(host3={"engine": {"no-such-key": True}}))
    assert [(play, outcome) for play, _, outcome in told(found)] == [("the change", Outcome.ERROR)], found.notes
    assert "dockerd refuses the options of the inventory" in found.results[0].evidence[-1].found
    assert "`clusterlab provision` with today's inventory goes back" in found.results[0].hint
    report = carry_out(provision(stand.lab(), stand.bench.hosts, stand.bench.session.unsupported), Silent())
    assert report.ok, (report.failed, report.blocked)
    assert stand.plan() == []


def test_a_dry_run_shows_the_steps_and_changes_nothing(stand: Stand, capsys: pytest.CaptureFixture[str]) -> None:
    session = Session(stand.lab(), Silent(), Unlocked("a dry run changes nothing"))
    with session.hosts:
        show_steps(session, stand.lab(host2={"engine": {"mtu": 1400}}, host3={"labels": {"zone": "b"}}))
    first, second = capsys.readouterr().out.splitlines()
    assert first == "drain, then host2: set engine settings daemon.json"
    assert second.startswith("host3: ")
    assert stand.plan() == []
