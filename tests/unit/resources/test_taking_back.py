"""What provision added is taken back, and no more than that. Scripts run here, with a folder for the root."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from clusterlab.errors import ClusterlabError
from clusterlab.model.iscsi import iqn
from clusterlab.progress import Silent
from clusterlab.remote import Host, Target
from clusterlab.remote.completed import Completed
from clusterlab.remote.connection import Connections
from clusterlab.resources import disks, images, ownership, packages, record, sysctl
from clusterlab.resources.base import Change, Key
from clusterlab.resources.disk_state import Disk
from clusterlab.resources.docker_engine import ENGINE, Engine
from clusterlab.resources.images import IMAGE
from clusterlab.resources.iscsi_initiator import INITIATOR, Initiator
from clusterlab.resources.iscsi_target import LUN_KIND
from clusterlab.resources.nfs import EXPORT
from clusterlab.resources.observed import Observed
from clusterlab.resources.packages import PACKAGE
from clusterlab.resources.registry_server import REGISTRY
from clusterlab.resources.scope import Scope
from clusterlab.resources.sysctl import SYSCTL, Parameter
from clusterlab.resources.units import Unit
from clusterlab.resources.wanted_images import WantedImage

PARAMETER = "vm.swappiness"


class Rooted(Host):
    """This machine, with a folder in place of the root and programs of the test first in the path."""

    def __init__(self, root: Path) -> None:
        super().__init__(Target("host1", "192.168.98.11"), Connections())
        self.root = root
        for folder in ("proc/sys/vm", "etc/sysctl.d", "etc/exports.d", "etc/iscsi", "bin"):
            (root / folder).mkdir(parents=True)

    def run(
        self,
        command: str | Sequence[str],
        *,
        stdin: str | bytes = "",
        timeout: float = 60.0,
        check: bool = False,
        **_: Any,
    ) -> Completed:
        assert isinstance(command, str)
        for folder in ("/proc/", "/etc/", "/var/lib/"):
            command = command.replace(folder, f"{self.root}{folder}")
        environment = {**os.environ, "PATH": f"{self.root}/bin:{os.environ['PATH']}"}
        ended = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=check, env=environment)
        return Completed(self.name, command, ended.returncode, ended.stdout, ended.stderr, 0.0)

    def write(self, path: str, content: bytes, mode: int = 0o644) -> None:
        (self.root / path.lstrip("/")).write_bytes(content)

    def program(self, name: str, script: str) -> None:
        (self.root / "bin" / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.root / "bin" / name).chmod(0o755)

    def observed(self, answers: Mapping[str, str] | None = None, **listings: Any) -> Observed:
        """With what the record says now."""
        recorded = {record.SECTION: self.run(record.question("demo")).stdout}
        return Observed("demo", self, listings, {**recorded, **(answers or {})})


@pytest.fixture
def host(tmp_path: Path) -> Rooted:
    return Rooted(tmp_path / "root")


def scope_of(at: Observed) -> Scope:
    return Scope("demo", {at.name: at})


def taken_back(at: Observed, found: Parameter) -> Change:
    return SYSCTL.remove(scope_of(at), Key(at.name, SYSCTL.name, PARAMETER), found, "why")


def observed_parameter(host: Rooted) -> tuple[Observed, Parameter]:
    at = host.observed({SYSCTL.name: host.run(sysctl._question("demo", [PARAMETER])).stdout})
    return at, SYSCTL.observe(scope_of(at))[Key("host1", SYSCTL.name, PARAMETER)]


@pytest.mark.parametrize("file_is_there", [True, False])
def test_a_parameter_gets_its_former_value_back_without_sysctl(host: Rooted, file_is_there: bool) -> None:
    value, file = host.root / "proc/sys/vm/swappiness", host.root / sysctl.path("demo", PARAMETER).lstrip("/")
    value.write_text("60\n")
    host.program("sysctl", "exit 127")
    sysctl._set(host.observed(), PARAMETER, "10", "60")
    sysctl._set(host.observed(), PARAMETER, "20", "10")
    assert value.read_text() == "20"
    if not file_is_there:
        file.unlink()
    taken_back(*observed_parameter(host)).carry_out()
    assert value.read_text() == "60"
    assert not file.exists()
    assert not (host.root / "var/lib/clusterlab").exists()


@pytest.mark.parametrize("file_is_there", [True, False])
def test_a_parameter_that_somebody_changed_since_keeps_its_value(host: Rooted, file_is_there: bool) -> None:
    value, file = host.root / "proc/sys/vm/swappiness", host.root / sysctl.path("demo", PARAMETER).lstrip("/")
    value.write_text("60\n")
    sysctl._set(host.observed(), PARAMETER, "10", "60")
    value.write_text("30\n")
    if not file_is_there:
        file.unlink()
    taken_back(*observed_parameter(host)).carry_out()
    assert value.read_text() == "30\n"
    assert not file.exists()


@pytest.mark.parametrize(("first", "values"), [("ada", ["20", "60"]), ("bob", ["10", "60"])])
@pytest.mark.parametrize("wanted", ["20", "10"])
def test_the_last_of_two_labs_restores_what_was_there_before_the_first(
    host: Rooted, first: str, values: list[str], wanted: str
) -> None:
    value = host.root / "proc/sys/vm/swappiness"
    value.write_text("60")

    def at(lab: str) -> Observed:
        scripts = {record.SECTION: record.question(lab), record.OTHERS: record.question_of_others(lab)}
        scripts[SYSCTL.name] = sysctl._question(lab, [PARAMETER])
        return Observed(lab, host, {}, {name: host.run(text).stdout for name, text in scripts.items()})

    sysctl._set(at("ada"), PARAMETER, "10", "60")
    sysctl._set(at("bob"), PARAMETER, wanted, "10")
    seen = []
    for lab in (first, {"ada": "bob", "bob": "ada"}[first]):
        now = at(lab)
        key = Key("host1", SYSCTL.name, PARAMETER)
        SYSCTL.remove(scope_of(now), key, SYSCTL.observe(scope_of(now))[key], "why").carry_out()
        seen.append(value.read_text())
    assert seen == (values if wanted == "20" else ["10", "60"])
    assert not (host.root / "var/lib/clusterlab").exists()


def test_the_file_stays_when_the_former_value_cannot_be_written(host: Rooted) -> None:
    value, file = host.root / "proc/sys/vm/swappiness", host.root / sysctl.path("demo", PARAMETER).lstrip("/")
    value.write_text("60\n")
    sysctl._set(host.observed(), PARAMETER, "10", "60")
    change = taken_back(*observed_parameter(host))
    value.unlink()
    value.mkdir()
    with pytest.raises(ClusterlabError, match="cannot restore"):
        change.carry_out()
    assert file.exists()


@pytest.mark.parametrize("own", [True, False])
def test_an_initiator_name_that_is_another_by_now_stays(host: Rooted, own: bool) -> None:
    file = host.root / "etc/iscsi/initiatorname.iscsi"
    record.remember(host, "demo", INITIATOR.name, {"name": "InitiatorName=former\n"})
    name = iqn("demo", "host1") if own else "iqn.1993-08.org.debian:01:57bc"
    file.write_text(f"InitiatorName={name}\n")
    at = host.observed()
    change = INITIATOR.remove(
        scope_of(at), Key("host1", INITIATOR.name, "name"), Initiator(name, (), "InitiatorName=former\n"), "why"
    )
    assert change is not None
    assert (change.action, change.reason == "the host has another name by now") == (
        ("restore", False) if own else ("forget", True)
    )
    change.carry_out()
    assert file.read_text() == ("InitiatorName=former\n" if own else f"InitiatorName={name}\n")
    assert host.observed().answers[record.SECTION] == ""


def test_the_record_keeps_of_packages_that_apt_failed_to_install_only_those_on_the_host(
    host: Rooted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "_HOLDERS", "true")
    host.program("apt-get", "case $* in *install*) echo 'E: broken' >&2; exit 100;; esac")
    host.program("dpkg-query", "echo 'tgt half-configured 1.0'; echo 'old config-files 1.0'; exit 1")
    with pytest.raises(ClusterlabError, match="cannot install tgt old curl"):
        packages._record_and_install(host, "demo", ["tgt", "old", "curl"], Silent())
    assert list(record.entries(host.observed(), "package")) == ["tgt"]


def recorded_packages(host: Rooted, names: Sequence[str], installed: Sequence[str], **more: Any) -> Observed:
    """A host on which provision installed packages, of which those are still there."""
    record.remember(host, "demo", PACKAGE.name, dict.fromkeys(names))
    answers = more.pop("answers", {})
    return host.observed({PACKAGE.name: "".join(f"{name} installed 1.0\n" for name in installed), **answers}, **more)


def removal_of_packages(at: Observed, *allowed: str) -> tuple[dict[str, str], Change | None]:
    """Why packages are kept, and the change that removes the others."""
    scope = Scope("demo", {at.name: at}, allowed=frozenset(allowed))
    kept, change = {}, None
    for key, found in PACKAGE.observe(scope).items():
        if why := PACKAGE.kept(scope, key, found):
            kept[key.name] = why
        else:
            change = change or PACKAGE.remove(scope, key, found, "why")
    return kept, change


def test_a_package_that_somebody_removed_takes_no_other_with_it(host: Rooted) -> None:
    """Without --packages, what provision installed stays, whatever has become of the rest."""
    host.program("apt-get", "exit 1")
    at = recorded_packages(host, ["curl", "tgt", "nfs-common"], ["curl", "nfs-common"])
    kept, change = removal_of_packages(at)
    assert kept == dict.fromkeys(("curl", "nfs-common"), "packages stay unless --packages is given")
    assert change is not None
    assert (change.action, change.key.name) == ("forget", "tgt")
    host.program("dpkg-query", "exit 1")
    change.carry_out()
    assert list(record.entries(host.observed(), PACKAGE.name)) == ["curl", "nfs-common"]


def test_packages_go_with_their_flag_but_for_those_that_others_use(host: Rooted) -> None:
    """Also where no unit is recorded: Debian starts what it installs, so provision may have found it running."""
    names = ["docker.io", "docker-cli", "nfs-kernel-server", "open-iscsi", "curl"]
    table = "\n@ /var/lib/nfs/etab\n/srv/theirs\t*(rw)\n"
    answers = {
        EXPORT.name: table,
        INITIATOR.name: "InitiatorName=iqn.x\nsession1\n",
        ENGINE.name: "docker active enabled\n",
    }
    at = recorded_packages(host, names, names, info={"Containers": 2}, answers=answers)
    kept, change = removal_of_packages(at, "--packages")
    assert kept == {
        "docker.io": "others use it: 2 containers",
        "docker-cli": "others use it: 2 containers",
        "nfs-kernel-server": "others use it: /srv/theirs",
        "open-iscsi": "others use it: session1",
    }
    assert change is not None
    assert change.command == "apt-get remove curl"
    silent = recorded_packages(host, names, names, answers=answers)
    assert "an engine that does not answer" in removal_of_packages(silent, "--packages")[0]["docker.io"]


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


def test_the_state_before_the_first_lab_counts_for_all(host: Rooted) -> None:
    record.remember(host, "blog", REGISTRY.name, {"docker-registry": "version: 0.1"}, shared=True)
    assert record.others(host.observed(), REGISTRY.name) == {}  # not asked for
    answers = {record.OTHERS: host.run(record.question_of_others("demo")).stdout}
    assert record.others(host.observed(answers), REGISTRY.name) == {"docker-registry": {"blog": '"version: 0.1"'}}
    record.remember(host, "demo", REGISTRY.name, {"docker-registry": ""}, shared=True)
    record.remember(host, "demo", SYSCTL.name, {PARAMETER: "10"})
    assert record.entries(host.observed(), REGISTRY.name) == {"docker-registry": "version: 0.1"}
    record.forget(host, "demo", SYSCTL.name, [PARAMETER])
    record.forget(host, "blog", REGISTRY.name, ["docker-registry"])
    assert host.run(record.question_of_others("demo")).stdout == ""
    assert host.run(record.question_of_others("blog")).stdout == 'demo/registry@docker-registry "version: 0.1"\n'


@pytest.mark.parametrize("damage", ["", '{"active": "ina', '"version'])
def test_a_damaged_entry_of_another_lab_is_not_taken_over(host: Rooted, damage: str) -> None:
    record.remember(host, "blog", REGISTRY.name, {"docker-registry": "version: 0.1"}, shared=True)
    file = host.root / record.path("blog", REGISTRY.name, "docker-registry").lstrip("/")
    file.write_text(damage)
    record.remember(host, "demo", REGISTRY.name, {"docker-registry": "version: 0.2"}, shared=True)
    assert record.entries(host.observed(), REGISTRY.name) == {"docker-registry": "version: 0.2"}
    record.remember(host, "news", REGISTRY.name, {"docker-registry": ""}, shared=True)  # one of two can be read
    assert host.run(f"cat {record.path('news', REGISTRY.name, 'docker-registry')}").stdout == '"version: 0.2"'


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
