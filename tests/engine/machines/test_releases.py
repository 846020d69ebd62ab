"""Hosts of three Debian releases in one lab, each with its own engine, and the lessons on them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from clusterlab.doctor.run import examined, of_lab
from clusterlab.progress import Silent
from clusterlab.results import Outcome
from tests.support.check_cases import told
from tests.support.doctor_cases import compare, parameters, ways
from tests.support.play_bench import INVENTORY, Stand, provisioned

pytestmark = [pytest.mark.engine, pytest.mark.long]  # two root file systems are built, once

ENGINES = {"host1": ("trixie", "26.1."), "host2": ("bookworm", "20.10."), "host3": ("forky", "28.")}
PLAYS = ["networks/bridge", "networks/overlay", "volumes/local"]


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    folder = tmp_path_factory.mktemp("releases")
    inventory = yaml.safe_load(INVENTORY.read_text())
    hosts = inventory["hosts"]
    hosts["host3"] = {"address": "192.168.97.13", "roles": ["docker", "swarm_worker"]}
    for name, (release, _) in ENGINES.items():
        hosts[name]["release"] = release
    file = folder / "releases.yml"
    file.write_text(yaml.safe_dump(inventory, sort_keys=False))
    with provisioned(file, folder) as stand:
        yield stand


def test_each_host_has_the_engine_of_its_release(stand: Stand) -> None:
    for host, (release, engine) in ENGINES.items():
        assert f"VERSION_CODENAME={release}\n" in stand.hosts[host].run("cat /etc/os-release", check=True).stdout
        assert stand.hosts[host].docker.version()["Version"].startswith(engine)
    nodes = {node["Description"]["Hostname"]: node["Status"]["State"] for node in stand.hosts["host1"].docker.nodes()}
    assert nodes == dict.fromkeys(ENGINES, "ready")


@pytest.mark.parametrize(("path", "at"), parameters("releases"))
def test_doctor_names_what_differs_and_nothing_else(stand: Stand, path: Path, at: int) -> None:
    hosts = {name: stand.hosts[name] for name in stand.hosts}
    compare(path.stem, ways(path, "releases")[at], examined(of_lab(stand.lab([])), Silent(), hosts=hosts).diagnosed)


def test_lessons_pass_and_the_second_apply_changes_nothing(stand: Stand) -> None:
    first = stand.apply(PLAYS)
    assert first.ok, (first.failed, first.blocked)
    results = stand.check(PLAYS)
    wrong = [one for one in results if one.outcome not in (Outcome.PASS, Outcome.UNSUPPORTED)]
    assert not wrong, "\n".join(f"{one.play}: {one.check}\n{told(one)}" for one in wrong)
    assert {one.play for one in results if one.outcome is Outcome.PASS} == set(PLAYS)
    again = stand.apply(PLAYS)
    assert [str(done.change.key) for done in again.done] == []
