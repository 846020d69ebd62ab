"""What provision added is taken back, and no more than that. Scripts run here, with a folder for the root."""

from __future__ import annotations

from pathlib import Path

import pytest

from clusterlab.errors import ClusterlabError
from clusterlab.model.iscsi import iqn
from clusterlab.progress import Silent
from clusterlab.resources import disks, images, ownership, record
from clusterlab.resources.base import Key
from clusterlab.resources.disk_state import Disk
from clusterlab.resources.docker_engine import ENGINE, Engine
from clusterlab.resources.images import IMAGE
from clusterlab.resources.iscsi_initiator import INITIATOR, Initiator
from clusterlab.resources.iscsi_target import LUN_KIND
from clusterlab.resources.nfs import EXPORT
from clusterlab.resources.observed import Observed
from clusterlab.resources.scope import Scope
from clusterlab.resources.units import Unit
from clusterlab.resources.wanted_images import WantedImage
from tests.support.rooted import Rooted

PARAMETER = "vm.swappiness"


@pytest.fixture
def host(tmp_path: Path) -> Rooted:
    return Rooted(tmp_path / "root")


def scope_of(at: Observed) -> Scope:
    return Scope("demo", {at.name: at})


@pytest.mark.parametrize("own", [True, False])
def test_an_initiator_name_that_is_another_by_now_stays(host: Rooted, own: bool) -> None:
    file = host.root / "etc/iscsi/initiatorname.iscsi"
    record.remember(host, "demo", INITIATOR.name, {"name": "InitiatorName=former\n"})
    name = iqn("demo", "host1") if own else "iqn.1993-08.org.debian:01:57bc"
    file.write_text(f"InitiatorName={name}\n")
    at = host.observed()
    key, found = Key("host1", INITIATOR.name, "name"), Initiator(name, (), "InitiatorName=former\n")
    assert INITIATOR.kept(scope_of(at), key, found) == ("" if own else "the host has another name by now")
    if own:
        change = INITIATOR.remove(scope_of(at), key, found, "why")
        assert change is not None
        change.carry_out()
        assert file.read_text() == "InitiatorName=former\n"
        assert host.observed().answers[record.SECTION] == ""


@pytest.mark.parametrize(
    ("unit", "answers", "kept"), [("active", False, True), ("inactive", False, False), ("active", True, False)]
)
def test_an_engine_that_runs_and_does_not_answer_stays(host: Rooted, unit: str, answers: bool, kept: bool) -> None:
    at = host.observed()
    found = Engine(Unit(unit, "enabled", ("inactive", "disabled")), answers)
    why = ENGINE.kept(scope_of(at), Key("host1", ENGINE.name, "docker"), found)
    assert why == ("it does not answer, so what it has is not known" if kept else "")


def test_a_client_of_one_target_keeps_all_of_the_lab(host: Rooted) -> None:
    shown = "".join(
        f"Target {number}: {iqn('demo', name)}\n    I_T nexus information:\n{client}    ACL information:\n        ALL\n"
        for number, name, client in ((1, "aa", "            IP Address: 192.168.98.11\n"), (2, "bb", ""))
    )
    scope = scope_of(host.observed({LUN_KIND.name: f"@ file\n@ targets\n{shown}"}))
    kept = {key.name: LUN_KIND.kept(scope, key, found) for key, found in LUN_KIND.observe(scope).items()}
    assert kept == {
        "aa": "192.168.98.11 is logged in: run `clusterlab clean` first",
        "bb": "192.168.98.11 is logged in to aa, and the targets of the lab end together: run `clusterlab clean` first",
    }


def test_an_exported_directory_that_is_gone_does_not_keep_the_others(host: Rooted, tmp_path: Path) -> None:
    gone, empty, full = tmp_path / "gone", tmp_path / "empty", tmp_path / "full"
    for folder in (empty, full / "data"):
        folder.mkdir(parents=True)
    record.remember(host, "demo", EXPORT.name, dict.fromkeys(map(str, (gone, empty, full)), True))
    at = host.observed({EXPORT.name: ""})
    change = EXPORT.remove(scope_of(at), Key("host1", EXPORT.name, str(gone)), {}, "why")
    assert change is not None
    change.carry_out()
    assert (empty.exists(), full.exists()) == (False, True)
    assert host.observed().answers[record.SECTION] == ""


def test_a_mounted_partition_keeps_its_disk(host: Rooted) -> None:
    host.program("lsblk", 'case $1 in -d*) echo 8:16;; *) printf "8:16\\n8:17\\n253:0\\n";; esac')
    (host.root / "proc/1").mkdir()
    mounts = host.root / "proc/1/mountinfo"
    mounts.write_text("36 35 8:1 / /else rw - ext4 /dev/sda1 rw\n37 35 8:17 / /data rw - xfs /dev/sdb1 rw\n")
    with pytest.raises(ClusterlabError, match="mounted on /data"):
        disks._log_out(host, Disk("disk1", True, "/dev/sdb", "gpt"), ["exit 1"])
    mounts.write_text("36 35 8:1 / /else rw - ext4 /dev/sda1 rw\n")
    assert host.run(disks.mounted("/dev/sdb")).stdout == ""
    host.program("lsblk", "exit 1")
    assert not host.run(disks.mounted("/dev/sdb")).ok


def test_the_lock_of_iscsi_is_where_only_root_can_write() -> None:
    assert ">/run/clusterlab-iscsi;" in disks._ALONE


class Api:
    """An engine that has one image, and the tags that it is asked to add, in their order."""

    def __init__(self) -> None:
        self.tags: list[str] = []

    def inspect_image(self, _: str) -> dict[str, str]:
        return {"Id": "sha256:1"}

    def tag(self, _: str, repo: str, tag: str, force: bool) -> None:
        self.tags.append(f"{repo}:{tag}")


def test_the_mark_of_an_image_that_was_there_comes_first_and_goes_last(
    host: Rooted, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = Api()
    monkeypatch.setattr(Rooted, "docker", api)
    wanted = WantedImage("web", "clusterlab/demo/web:pull-1", None, "nginx@sha256:2")
    images._pull(host, wanted, images._Resolved(), None, Silent())
    assert api.tags == ["clusterlab/demo/web:pull-1-found", "clusterlab/demo/web:pull-1"]
    listed = [{"Id": "sha256:1", "RepoTags": api.tags}]
    scope = scope_of(host.observed(images=listed, containers=[]))
    needs = {key.name: IMAGE.remove(scope, key, found, "why").needs for key, found in IMAGE.observe(scope).items()}
    assert needs == {api.tags[0]: {Key("host1", IMAGE.name, api.tags[1])}, api.tags[1]: frozenset()}


def test_an_empty_file_of_the_owner_gets_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    first = ownership.this_workstation()
    assert len(first) == 16
    assert ownership.this_workstation() == first
    [file] = tmp_path.rglob("owner")
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_text("")
    second = ownership.this_workstation()
    assert len(second) == 16
    assert ownership.this_workstation() == second
