"""What the test creates is told from a person's own play and image that are called test-cluster, too."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from clusterlab.checks.runner import jobs_of
from clusterlab.cli import nightly_request
from clusterlab.connectivity import removal
from clusterlab.connectivity.names import IMAGE, PLAY, probe
from clusterlab.connectivity.play import with_test
from clusterlab.manual.lesson import lesson
from clusterlab.model.load import load_inventory, load_lab
from clusterlab.nightly.known_state import parse_start
from clusterlab.nightly.nightly_run import NightlyRun
from clusterlab.nightly.runner import NightlyRunner, Options
from clusterlab.nightly.waivers import Waiver, unknown_waivers
from clusterlab.pipeline.pipeline import complete_results
from clusterlab.progress import Silent
from clusterlab.remote import Hosts
from clusterlab.resources.base import Key
from clusterlab.resources.wanted_images import repository
from clusterlab.results import Outcome, Result

INVENTORY = """\
lab: demo
machines: existing
hosts:
  host1: {address: 192.0.2.11, roles: [docker, swarm_manager]}
  host2: {address: 192.0.2.12, roles: [docker, swarm_worker]}
images:
  test-cluster: {build: nginx}
"""
OWN = "title: mine\nchecks:\n  - {title: it is there, command: {on: host1, run: id}}\n"
NAME = "test-cluster"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("STATE", "CACHE", "CONFIG"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    (tmp_path / "office.yml").write_text(INVENTORY)
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks" / f"{NAME}.yml").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def waiver_of(check: str) -> Waiver:
    return Waiver.model_construct(play=NAME, check=check, reason="known", who="ada", until="2030-01-01")


def of_play(name: str | None) -> Any:
    return SimpleNamespace(play=lambda found: name)


def test_only_what_the_test_created_is_removed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal, "clean", lambda lab, hosts, only: [only])
    chosen: Any = removal.removal(load_inventory(folder / "office.yml"), Hosts({}))[0]
    assert chosen(of_play(PLAY), Key("host1", "container", probe("host1")), None)
    assert not chosen(of_play(NAME), Key("host1", "container", "web"), None)
    assert chosen(of_play(None), Key("host1", "image", f"{repository('demo', IMAGE)}:0123"), None)
    for name in (NAME, "Test_Cluster", "clusterlab-test-cluster", "clusterlab/test-cluster"):
        assert not chosen(of_play(None), Key("host1", "image", f"{repository('demo', name)}:0123"), None)


def test_a_play_and_an_image_of_that_name_stay_as_they_are(folder: Path) -> None:
    own = load_lab(folder / "office.yml", (), folder / "playbooks")
    lab = with_test(own)
    assert list(lab.plays) == [NAME, PLAY]
    assert lab.plays[NAME] == own.plays[NAME]
    assert lab.inventory.images[NAME] == own.inventory.images[NAME]
    assert {one.image for one in lab.plays[PLAY].containers.values()} == {IMAGE}


def test_an_image_has_a_name_that_engines_accept() -> None:
    component = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
    assert re.fullmatch(f"{component}(/{component})*", repository("demo", IMAGE))


def test_results_and_lessons_call_it_test_cluster(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = with_test(load_inventory(folder / "office.yml"))
    assert {job.play for job in jobs_of(lab, Hosts({}))} == {NAME}
    title = lab.plays[PLAY].checks[0].title
    passed = Result(NAME, title, "mesh", Outcome.PASS)
    results = [passed]
    complete_results(lab, results, "interrupted")
    assert results[0] is passed
    assert len(results) == len(lab.plays[PLAY].checks)
    assert {result.play for result in results} == {NAME}
    waiver = waiver_of(title)
    assert unknown_waivers([waiver], lab, []) == []
    monkeypatch.setattr("clusterlab.manual.lesson.wanted", lambda *_: SimpleNamespace(images={}))
    monkeypatch.setattr("clusterlab.manual.lesson._created", lambda *_: [])
    monkeypatch.setattr("clusterlab.manual.lesson.statement_lines", lambda *_: [])
    assert lesson(lab, PLAY, "office.yml", Silent()).name == NAME


def test_a_waiver_of_a_play_of_that_name_is_known_beside_the_test(folder: Path) -> None:
    lab = with_test(load_lab(folder / "office.yml", (), folder / "playbooks"))
    waiver = waiver_of("it is there")
    assert unknown_waivers([waiver], lab, []) == []


def read(folder: Path, cluster: bool) -> nightly_request.Request:
    words = {"start": "", "keep": "", "wait": "0s", "deadline": "4h", "notify": None, "notify_deadline": "60s"}
    return nightly_request.read(
        inventory=str(folder / "office.yml"),
        plays=[],
        playbooks="playbooks",
        strict=False,
        cluster=cluster,
        drills=False,
        keep_runs=1,
        keep_days=1,
        **words,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("cluster", [True, False])
def test_a_nightly_run_removes_the_test_only_when_it_has_it(folder: Path, cluster: bool) -> None:
    request = read(folder, cluster)
    nightly_run = NightlyRun("demo", "1", 1)
    record: Any = SimpleNamespace(run=nightly_run, save=lambda: None, write=lambda: "", logs=None)
    NightlyRunner(request.lab, request.options, [], record, Silent())._close()
    assert NAME in request.lab.plays
    assert ("test removed" in [stage.name for stage in nightly_run.stages]) is cluster


def test_a_nightly_run_is_without_it_unless_asked() -> None:
    kind = load_inventory(Path("office.yml")).inventory.kind
    assert not Options(parse_start("apply", kind), "always", 1.0).connectivity
