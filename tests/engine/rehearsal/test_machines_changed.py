"""Rehearsals after which the machines are others: an upgrade of one engine, and another MTU of the LAN.

A service with a task on each node is never away; a database that is bound to its host is, and it is told why.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from clusterlab.model import Lab, load_lab
from clusterlab.model.stack_files import StackFiles
from clusterlab.pipeline.lock import Unlocked
from clusterlab.pipeline.session import Session
from clusterlab.progress import Silent
from clusterlab.pytest_plugin.own_lab import temporary_lab
from clusterlab.rehearsal.rehearse import Rehearsal, rehearse
from clusterlab.results import Outcome
from tests.support.rehearsal_lab import INVENTORY, STACK

pytestmark = [pytest.mark.engine, pytest.mark.long]

DOCKER = ("host1", "host2", "host3")
BOUND = "because its volume data is local to host2, and node.hostname == host2 keeps it there"


@dataclass(frozen=True)
class Stand:
    """The files of a lab with the stack, which is up."""

    folder: Path
    name: str

    def lab(self, releases: Mapping[str, str], mtu: int | None = None) -> Lab:
        """The lab with these releases of its hosts."""
        inventory = {"lab": self.name, **deepcopy(INVENTORY)}
        for host, release in releases.items():
            inventory["hosts"][host]["release"] = release
        if mtu is not None:
            inventory["network"]["mtu"] = mtu
        file = self.folder / "inventory.yml"
        file.write_text(yaml.safe_dump(inventory, sort_keys=False))
        return load_lab(file, stacks=[StackFiles(files=[str(self.folder / "stack.yml")], name="shop")])

    def rehearse(self, before: Lab, after: Lab, *, back: bool) -> Rehearsal:
        found = Rehearsal()
        session = Session(before, Silent(), Unlocked("a test has the lab alone"))
        with session.hosts:
            rehearse(session, after, found, back=back)
        return found


@pytest.fixture
def stand(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Stand]:
    """A lab whose engines have the release that the test names."""
    (tmp_path / "stack.yml").write_text(STACK)
    stand = Stand(tmp_path, f"changed-{os.getpid()}")
    with temporary_lab(stand.lab(dict.fromkeys(DOCKER, request.param))):
        yield stand


def outcomes(found: Rehearsal) -> dict[tuple[str, str], Outcome]:
    return {(one.play, one.check.partition(":")[0]): one.outcome for one in found.results}


def seen(found: Rehearsal) -> str:
    wrong = [f"{one.check}: {two.found}" for one in found.results for two in one.evidence if not two.holds]
    return "\n".join([*found.notes, *wrong])


def changed(notes: list[str], what: str) -> list[tuple[str, str]]:
    """Each host of which a fact is different after the change, with what it is now."""
    words = [note.removeprefix("after the change: ") for note in notes if note.startswith("after the change: ")]
    return sorted(
        (word.partition(" ")[0], word.rpartition(", ")[2].removesuffix(" now"))
        for word in words
        if f" {what}: " in word
    )


@pytest.mark.parametrize("stand", ["bookworm"], indirect=True)
def test_the_engine_of_a_worker_is_upgraded_and_goes_back(stand: Stand) -> None:
    today = dict.fromkeys(DOCKER, "bookworm")
    found = stand.rehearse(stand.lab(today), stand.lab({**today, "host2": "trixie"}), back=True)
    assert outcomes(found) == {
        ("the change", "host2"): Outcome.FAIL,  # the database is bound to it
        ("the way back", "host2"): Outcome.FAIL,
        ("the way back", "the cluster is as before"): Outcome.PASS,
    }, seen(found)
    ((host, version),) = changed(found.notes, "engine")
    assert host == "host2"
    assert version.startswith("26.1.")
    away = [note for note in found.notes if note.startswith("database is away for ")]
    assert len(away) == 2
    assert all(BOUND in note for note in away)
    assert not [note for note in found.notes if note.startswith("web ")], seen(found)


@pytest.mark.parametrize("stand", ["trixie"], indirect=True)
def test_the_lan_gets_another_mtu_and_its_own_again(stand: Stand) -> None:
    today = dict.fromkeys(DOCKER, "trixie")
    found = stand.rehearse(stand.lab(today), stand.lab(today, mtu=1400), back=True)
    steps = {host: Outcome.FAIL if host == "host2" else Outcome.PASS for host in ("gw", *DOCKER)}
    assert outcomes(found) == {
        **{("the change", host): outcome for host, outcome in steps.items()},
        **{("the way back", host): outcome for host, outcome in steps.items()},
        ("the way back", "the cluster is as before"): Outcome.PASS,
    }, seen(found)
    assert changed(found.notes, "LAN mtu") == [(host, "1400") for host in DOCKER]
    assert "after going back: nothing differs" in found.notes or all(
        ": tasks on " in note for note in found.notes if note.startswith("after going back: ")
    )
