"""LUNs and disks: what hosts say, and which changes follow from it. No host is asked here."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from clusterlab.capabilities import Capabilities
from clusterlab.model import iscsi
from clusterlab.model.inventory import Inventory
from clusterlab.model.iscsi import Disk, Lun
from clusterlab.model.lab import Lab
from clusterlab.model.playbook import Play
from clusterlab.plan import apply, provision
from clusterlab.remote import Host, Target
from clusterlab.remote.connection import Connections
from clusterlab.resources import disk_state, iscsi_serving, tgt
from clusterlab.resources.base import SWARM, Change, Key
from clusterlab.resources.disks import DISK, wanted_disk
from clusterlab.resources.iscsi_initiator import INITIATOR, WantedName
from clusterlab.resources.observed import Observed
from clusterlab.resources.scope import Scope, Wants

SHOWN = Path(__file__).with_name("tgtadm-show.txt").read_text()
ADDRESSES = {"host1": "192.168.98.11", "host2": "192.168.98.12"}
LUN = Lun(name="disk1", size="320M", host="host1")
IMAGE = "/var/lib/clusterlab/luns/demo/disk1.img"
DEVICE = "/dev/disk/by-path/ip-192.168.98.1:3260-iscsi-iqn.2025-01.org.clusterlab:demo.disk1-lun-1"
INVENTORY = Inventory.model_validate(
    {
        "lab": "demo",
        "hosts": {
            "gw": {"address": "192.168.98.1", "roles": ["iscsi_target"]},
            "host1": {"address": "192.168.98.11", "roles": ["docker"]},
            "host2": {"address": "192.168.98.12", "roles": ["docker"]},
        },
        "iscsi": {"luns": [{"name": "disk1", "size": "320M", "host": "host1"}]},
        "images": {"shell": {"build": "busybox"}},
    }
)
PLAY = Play.model_validate(
    {
        "title": "A play",
        "disks": {"mine": {"host": "host1", "lun": "disk1", "filesystem": "xfs"}},
        "volumes": {"data": {"hosts": ["host1"], "driver_opts": {"type": "xfs", "device": "disk:mine"}}},
        "containers": {"keeper": {"host": "host1", "image": "shell", "volumes": ["data:/data"]}},
    }
)
LAB = Lab(INVENTORY, {"p": PLAY})


def test_a_session_counts_only_for_the_target_of_exactly_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Logged in to disk1-b: that is not a session with disk1."""
    sessions, tools, log = tmp_path / "sessions", tmp_path / "bin", tmp_path / "log"
    (sessions / "session1").mkdir(parents=True)
    (sessions / "session1" / "targetname").write_text(f"{iscsi.iqn('demo', 'disk1-b')}\n")
    tools.mkdir()
    (tools / "iscsiadm").write_text(
        f"#!/bin/sh\necho $* >> {log}\n"
        f"case $* in *session*) echo 'tcp: [1] 192.168.98.1:3260,1 {iscsi.iqn('demo', 'disk1-b')} (non-flash)';; esac\n"
    )
    (tools / "iscsiadm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")

    def login(name: str) -> bool:
        log.unlink(missing_ok=True)
        disk = wanted_disk(INVENTORY, "demo", "mine", Disk(host="host1", lun=name))
        script = disk.login.replace("/sys/class/iscsi_session", str(sessions)).replace(disk.device, "/dev/null")
        subprocess.run(["sh", "-c", script.replace("[ -b", "[ -e")], check=True)
        return "--login" in log.read_text()

    assert login("disk1")
    assert not login("disk1-b")


def host(name: str) -> Host:
    return Host(Target(name, ADDRESSES.get(name, "192.168.98.1")), Connections())


def answer(shown: str = SHOWN, size: int | None = LUN.bytes, text: str | None = None) -> tgt.Found:
    own = tgt.text([LUN], "demo", ADDRESSES) if text is None else text
    head = f"{size} {IMAGE}\n" if size is not None else ""
    return tgt.found(f"{head}@ file\n{own}@ targets\n{shown}\n")


def served(*luns: Lun, now: tgt.Found) -> list[Change]:
    return iscsi_serving.changes(host("gw"), luns, "demo", ADDRESSES, now)


def test_what_the_target_shows_is_read() -> None:
    assert tgt.parse("") == {}
    assert tgt.parse(SHOWN) == {
        "iqn.2025-01.org.clusterlab:demo.disk1": tgt.Target(
            1, {1: IMAGE}, frozenset({"192.168.98.11"}), ("192.168.98.11",)
        ),
        "iqn.2001-04.com.example:storage": tgt.Target(7, {}, frozenset({"ALL"})),
    }


def test_a_lun_that_is_served_as_wanted_needs_nothing() -> None:
    assert served(LUN, now=answer()) == []


def test_a_lun_that_is_not_served_is_made_and_its_file_only_when_there_is_none() -> None:
    [change] = served(LUN, now=answer(shown="", size=None, text=""))
    assert not change.blocked
    assert f"[ -e {IMAGE} ] || truncate -s 320M {IMAGE}" in change.command
    assert "initiator-address 192.168.98.11\n" in change.command
    assert "--update iqn.2025-01.org.clusterlab:demo.disk1" in change.command


def test_access_is_mended_while_a_host_is_logged_in() -> None:
    [change] = served(LUN, now=answer(SHOWN.replace("        192.168.98.11\nTarget", "        ALL\nTarget")))
    assert [(one.wanted, one.found) for one in change.differences] == [("192.168.98.11", "ALL")]
    assert "--tid 1 --op unbind -I ALL" in change.command
    assert "--tid 1 --op bind -I 192.168.98.11" in change.command
    assert "--update" not in change.command


def test_a_lun_that_is_no_longer_wanted_ends_and_targets_of_others_stay() -> None:
    [change] = served(now=answer())
    assert "--op delete --tid 1" in change.command
    assert "--tid 7" not in change.command
    assert "rm" not in change.command.split()


@pytest.mark.parametrize("size", [LUN.bytes - 1, LUN.bytes + 1, 0])
def test_the_file_of_a_lun_keeps_its_size(size: int) -> None:
    [change] = served(LUN, now=answer(size=size))
    assert "it holds data and keeps its size" in change.blocked
    assert not change.flag


def test_a_file_that_is_gone_while_it_is_served_is_not_recreated() -> None:
    [change] = served(LUN, now=answer(size=None))
    assert "is gone while it is served" in change.blocked


@pytest.mark.parametrize(
    ("copied", "said", "action"),
    [
        (True, "InitiatorName=iqn.1993-08.org.debian:01:57bc\n", "name"),
        (True, "InitiatorName=iqn.2025-01.org.clusterlab:demo.host1\n", ""),
        (True, "InitiatorName=iqn.1993-08.org.debian:01:57bc\nsession1\n", "blocked"),
        (False, "InitiatorName=iqn.1993-08.org.debian:01:57bc\n", ""),
        (False, "# InitiatorName=x\nGenerateName=yes\n", "name"),
        (False, "", "name"),
    ],
)
def test_a_host_gets_a_name_of_its_own_unless_it_has_one(copied: bool, said: str, action: str) -> None:
    observed = Observed("demo", host("host1"), answers={"initiator": said})
    [(key, found)] = INITIATOR.observe(scope := Scope("demo", {"host1": observed})).items()
    change = INITIATOR.change(Wants(LAB), scope, key, WantedName(iscsi.iqn("demo", "host1"), copied), found)
    assert (("blocked" if change.blocked else change.action) if change else "") == action


def at(line: str) -> Observed:
    return Observed("demo", host("host1"), answers={"disk": line})


def disk_change(line: str, allow_data_loss: bool = False) -> Change | None:
    scope = Scope("demo", {"host1": at(line)}, data_flag="" if allow_data_loss else "--allow-data-loss")
    found = list(DISK.changes(Wants(LAB), scope))
    return found[0] if found else None


def test_the_lines_of_disks_are_read() -> None:
    assert disk_state.disks(f"x y {{}}\n@disk disk1 in {DEVICE} blank\n@disk disk2 out - -\n") == {
        "disk1": disk_state.Disk("disk1", True, DEVICE, "blank"),
        "disk2": disk_state.Disk("disk2"),
    }


@pytest.mark.parametrize(
    ("line", "action"),
    [
        ("", "log in"),
        ("@disk disk1 out - -", "log in"),
        ("@disk disk1 in - -", "log in"),
        (f"@disk disk1 in {DEVICE} blank", "format"),
        (f"@disk disk1 in {DEVICE} xfs", ""),
    ],
)
def test_each_state_of_a_disk_gets_its_change(line: str, action: str) -> None:
    change = disk_change(line)
    assert (change.action if change else "") == action
    assert not (change and change.blocked)


@pytest.mark.parametrize("content", ["ext4", "gpt", "LVM2_member", "data"])
@pytest.mark.parametrize("allow_data_loss", [False, True])
def test_a_disk_that_holds_something_is_never_formatted(content: str, allow_data_loss: bool) -> None:
    change = disk_change(f"@disk disk1 in {DEVICE} {content}", allow_data_loss)
    assert change is not None
    assert "never formatted over" in change.blocked
    assert not change.flag
    assert "mkfs" not in change.command


def test_logging_out_comes_after_what_has_it_mounted_and_destroys_nothing() -> None:
    known = at(f"@disk disk1 in {DEVICE} xfs")
    listings: dict[str, list[dict[str, object]]] = {
        "volumes": [{"Name": "data", "Options": {"device": DEVICE}}, {"Name": "other", "Options": None}],
        "containers": [
            {"Names": ["/keeper"], "Mounts": [{"Name": "data"}]},
            {"Names": ["/apart"], "Mounts": [{"Name": "other"}]},
        ],
    }
    service = Key(SWARM, "service", "web")
    pending = {service: Change(service, "remove", "", "", lambda: None)}
    scope = Scope("demo", {"host1": replace(known, listings=listings)}, pending=pending)
    [(key, found)] = DISK.observe(scope).items()
    change = DISK.remove(scope, key, found, "why")
    assert change.needs == {service, Key("host1", "volume", "data"), Key("host1", "container", "keeper")}
    assert change.command == (
        "iscsiadm -m node -T iqn.2025-01.org.clusterlab:demo.disk1 --logout && "
        "iscsiadm -m node -T iqn.2025-01.org.clusterlab:demo.disk1 -o delete"
    )


def test_roles_and_luns_ask_for_target_and_initiators() -> None:
    keys = [key for kind in provision.kinds() for key in kind.wanted(Wants(LAB))]
    assert [tuple(key[1:]) for key in keys if key.host == "gw"] == [
        ("package", "tgt"),
        ("unit", "tgt"),
        ("lun", "disk1"),
    ]
    initiator = {tuple(key[1:]) for key in keys if key.host == "host2"}
    assert {("package", "open-iscsi"), ("package", "xfsprogs"), ("unit", "iscsid"), ("initiator", "name")} <= initiator
    assert ("module", "iscsi_tcp") in initiator


def test_what_needs_iscsi_is_left_out_where_there_is_none() -> None:
    lacks = Capabilities.missing_everywhere(INVENTORY.hosts, {"iscsi": "no iSCSI in this kernel"})
    assert {str(one.key) for one in apply.left_out(LAB, lacks)} == {
        "host1: disk mine",
        "host1: volume data",
        "host1: container keeper",
    }
    told = {str(one.key): one.reason for one in provision.left_out(LAB, lacks)}
    assert told == dict.fromkeys(
        [
            "gw: unit tgt",
            "gw: lun disk1",
            "host1: module iscsi_tcp",
            "host1: initiator name",
            "host1: unit iscsid",
            "host2: module iscsi_tcp",
            "host2: initiator name",
            "host2: unit iscsid",
        ],
        "iscsi: no iSCSI in this kernel",
    )


def test_names_and_paths() -> None:
    assert iscsi.device("demo", INVENTORY.hosts["gw"].address, "disk1") == DEVICE
    assert iscsi.disk_of({"device": "disk:mine"}) == "mine"
    assert iscsi.disk_of({"device": ":/shares"}) is None
    assert LUN.bytes == 320 * 1024 * 1024
