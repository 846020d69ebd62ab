"""Disks over iSCSI on real machines: served, logged in, formatted only when blank, and never lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from clusterlab.capabilities import ALL_CAPABILITIES
from clusterlab.checks import run_checks
from clusterlab.machines.qemu.lab import QemuMachines
from clusterlab.model import Lab, load_lab
from clusterlab.plan.apply import apply
from clusterlab.plan.clean import clean, left_over
from clusterlab.plan.graph import carry_out
from clusterlab.plan.provision import provision
from clusterlab.plan.report import Report
from clusterlab.progress import Silent
from clusterlab.remote import Hosts
from tests.support.check_cases import PLAYBOOKS, compare

DEFAULT = PLAYBOOKS.parent / "inventory" / "default.yml"
PLAY = (PLAYBOOKS / "volumes" / "block.yml").read_text()
_ROUNDS = 3
SHOW = "tgtadm --lld iscsi --mode target --op show"


class Bench:
    """The lab's machines with the play on disks, or one much like it."""

    def __init__(self, folder: Path, name: str, machines: QemuMachines) -> None:
        self._folder = folder
        self._machines = machines
        self.name = name
        self.hosts = Hosts(machines.targets())

    def lab(self, play: str = PLAY, **replaced: str) -> Lab:
        inventory = DEFAULT.read_text().replace("lab: demo", f"lab: {self.name}").replace("192.168.98.", "192.168.94.")
        for old, new in replaced.items():
            assert old in inventory
            inventory = inventory.replace(old, new)
        (self._folder / "inventory.yml").write_text(inventory)
        (self._folder / "block.yml").write_text(play)
        return load_lab(self._folder / "inventory.yml", ["block"], self._folder)

    def sh(self, host: str, command: str) -> str:
        completed = self.hosts[host].run(command, timeout=180)
        assert completed.ok, completed.output
        return completed.stdout.strip()

    def provisioned(self) -> None:
        """The hosts are as wanted; on a busy computer the first start of everything may take a second round."""
        for _ in range(_ROUNDS):
            report = carry_out(provision(self.lab(), self.hosts), Silent())
            if report.ok:
                return
        done(report)

    def applied(self, play: str = PLAY) -> Report:
        return carry_out(apply(self.lab(play), self.hosts), Silent())

    def cleaned(self) -> Report:
        return carry_out(clean(self.name, self.hosts), Silent())

    def device(self, lun: str) -> str:
        return f"/dev/disk/by-path/ip-192.168.94.1:3260-iscsi-iqn.2025-01.org.clusterlab:{self.name}.{lun}-lun-1"


def done(report: Report) -> None:
    assert report.ok, [(str(one.change.key), str(one.error)) for one in report.failed] + report.blocked


@pytest.fixture(scope="module")
def bench(machines: QemuMachines, lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    bench = Bench(tmp_path_factory.mktemp("block"), lab.name, machines)
    with bench.hosts:
        bench.provisioned()
        done(bench.applied())
        yield bench
        done(bench.cleaned())


def test_the_play_holds_and_the_second_time_nothing_changes(bench: Bench, machines: QemuMachines) -> None:
    compare({}, run_checks(bench.lab(), bench.hosts, ALL_CAPABILITIES, lambda result: None, Silent()))
    with Hosts(machines.targets()) as hosts:
        assert apply(bench.lab(), hosts) == []
        assert hosts["host1"].counts["commands"] == 1
        assert hosts["host1"].counts["requests"] <= 6
        assert hosts["gw"].counts["connections"] == 0
    with Hosts(machines.targets()) as hosts:
        assert provision(bench.lab(), hosts) == []
        assert hosts["gw"].counts["commands"] == 1


def test_each_host_has_a_name_of_its_own(bench: Bench) -> None:
    names = {bench.sh(host, "grep ^InitiatorName= /etc/iscsi/initiatorname.iscsi") for host in ("host1", "host2")}
    assert len(names) == 2


def test_access_that_was_opened_manually_is_closed_while_the_host_is_logged_in(bench: Bench) -> None:
    tid = bench.sh("gw", rf"{SHOW} | sed -n 's/^Target \([0-9]*\): .*[.]disk1$/\1/p'")
    bench.sh("gw", f"tgtadm --lld iscsi --mode target --op bind --tid {tid} -I ALL")
    [change] = provision(bench.lab(), bench.hosts)
    assert [(one.wanted, one.found) for one in change.differences] == [("192.168.94.11", "192.168.94.11 ALL")]
    done(carry_out([change], Silent()))
    assert provision(bench.lab(), bench.hosts) == []
    assert "IP Address: 192.168.94.11" in bench.sh("gw", SHOW)


def test_a_lun_keeps_its_size(bench: Bench) -> None:
    lab = bench.lab(**{"disk2, size: 320M": "disk2, size: 640M"})
    blocked = [change for change in provision(lab, bench.hosts) if change.blocked]
    assert [str(change.key) for change in blocked] == ["gw: lun disk2"]
    assert "it holds data and keeps its size" in blocked[0].blocked


def test_a_disk_that_holds_data_is_not_formatted(bench: Bench) -> None:
    wants_xfs = PLAY.replace("lun: disk2}", "lun: disk2, filesystem: xfs}")
    assert wants_xfs != PLAY
    device = bench.device("disk2")
    bench.sh("host1", f"printf precious | dd of={device} bs=1 seek=70000 conv=notrunc,fsync status=none")
    for flag in (False, True):
        [change] = apply(bench.lab(wants_xfs), bench.hosts, allow_data_loss=flag)
        assert "holds data of an unknown kind, which is never formatted over" in change.blocked
        assert not change.flag
    # Logged out nobody can know what is on it: then it is refused once that is seen.
    bench.sh("host1", f"iscsiadm -m node -T iqn.2025-01.org.clusterlab:{bench.name}.disk2 --logout")
    [failed] = bench.applied(wants_xfs).failed
    assert "never formatted over" in failed.error.message
    assert bench.sh("host1", f"dd if={device} bs=1 skip=70000 count=8 status=none") == "precious"
    bench.sh("host1", f"dd if=/dev/zero of={device} bs=1M count=1 conv=fsync status=none")
    done(bench.applied())


def test_clean_logs_out_and_the_data_is_there_again(bench: Bench) -> None:
    bench.sh("host1", "docker exec archivist sh -c 'echo kept > /data/over-clean'")
    bench.sh("host1", f"docker stop archivist && mount {bench.device('disk1')} /mnt")
    try:
        [failed] = bench.cleaned().failed
        assert "it is mounted on /mnt" in failed.error.message
    finally:
        bench.sh("host1", "umount /mnt")
    done(bench.cleaned())
    assert left_over(bench.name, bench.hosts) == []
    assert bench.hosts["host1"].run("iscsiadm -m session").exit == 21
    assert bench.hosts["host1"].run("iscsiadm -m node").exit == 21
    done(bench.applied())
    assert bench.sh("host1", "docker exec archivist cat /data/over-clean") == "kept"
    bench.sh("host1", "docker exec archivist rm /data/over-clean")


def test_a_target_that_restarted_serves_the_same_data(bench: Bench) -> None:
    bench.sh("host1", "docker exec archivist sh -c 'echo kept > /data/over-restart; sync'")
    bench.sh("gw", "systemctl restart tgt")
    assert provision(bench.lab(), bench.hosts) == []
    assert bench.sh("host1", "docker exec archivist cat /data/over-restart") == "kept"
    bench.sh("host1", "docker exec archivist rm /data/over-restart")
