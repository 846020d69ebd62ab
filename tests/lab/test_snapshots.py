"""Snapshots of machines at work: what runs goes on after a restore, what came later is gone, failures lose nothing."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from clusterlab.errors import ClusterlabError, UsageError
from clusterlab.machines.qemu.lab import QemuMachines
from clusterlab.machines.qemu.processes import end, processes_in
from clusterlab.machines.qemu.qmp import monitor
from clusterlab.machines.state import LabState
from clusterlab.model import Lab, load_lab
from clusterlab.model.inventory import Inventory
from clusterlab.plan.apply import apply
from clusterlab.plan.graph import carry_out
from clusterlab.plan.provision import provision
from clusterlab.progress import Silent
from clusterlab.remote import Hosts

_ROUNDS = 6  # on a busy computer an engine may not know a new overlay network in time; the same command goes on then
INVENTORY = """
lab: LAB
machines: qemu
network: {subnet: 192.168.94.0/24}
hosts:
  gw: {address: 192.168.94.1, roles: [nfs_server]}
  host1: {address: 192.168.94.11, roles: [docker, swarm_manager]}
  host2: {address: 192.168.94.12, roles: [docker, swarm_worker]}
nfs:
  exports:
    - {path: /shares, clients: "${network.subnet}", options: [rw, sync, no_subtree_check, no_root_squash]}
images:
  shell: {build: busybox}
"""
PLAY = """
title: What runs while it is saved
volumes:
  nfs: {driver_opts: {type: nfs, o: "addr=${hosts.gw.address},rw,nfsvers=4.2", device: ":/shares"}}
networks:
  over: {driver: overlay, attachable: true}
containers:
  one: {host: host1, image: shell, command: [sleep, infinity], volumes: ["nfs:/data"], networks: [over]}
  two: {host: host2, image: shell, command: [sleep, infinity], volumes: ["nfs:/data"], networks: [over]}
checks:
  - {title: there is one, inspect: {container: one, path: State.Running, value: true}}
"""


class Work:
    """What is on the machines when they are saved, and which engines started it when."""

    def __init__(self, machines: QemuMachines) -> None:
        self.machines = machines
        self.taken = 0.0
        self.containers: dict[str, str] = {}

    def started(self, hosts: Hosts) -> dict[str, str]:
        """When each container was started and under which process id, while it runs."""
        found = {}
        for host, name in (("host1", "one"), ("host2", "two")):
            state = hosts[host].docker.inspect_container(name)["State"]
            assert state["Running"], state
            found[name] = f"{state['StartedAt']} {state['Pid']}"
        return found

    def must_be_alive(self) -> None:
        """Containers, NFS mounts, overlay network and Swarm work, and are the ones that were saved."""
        with Hosts(self.machines.targets()) as hosts:
            assert self.started(hosts) == self.containers
            assert hosts["host1"].exec("one", ["cat", "/data/kept"], timeout=120).stdout == "kept\n"
            assert hosts["host2"].exec("two", ["sh", "-c", "echo new > /data/new"], timeout=120).ok
            assert hosts["host1"].exec("one", ["cat", "/data/new"], timeout=120).stdout == "new\n"
            assert hosts["host1"].exec("one", ["ping", "-c", "2", "-W", "10", "two"], timeout=120).ok
            assert within(60, lambda: nodes(hosts) == {"host1": "ready", "host2": "ready"}), nodes(hosts)


def clocks_must_be_right(hosts: Hosts) -> None:
    hosts.each(list(hosts), lambda host: host.run("true"))  # connected before it is measured
    for name in hosts:
        before = time.time()
        clock = float(hosts[name].run("date +%s.%N", check=True).stdout)
        after = time.time()
        assert before - 2 < clock < after + 2, name


def nodes(hosts: Hosts) -> dict[str, str]:
    found = hosts["host1"].docker.nodes()
    return {node["Description"]["Hostname"]: node["Status"]["State"] for node in found}


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def states(machines: QemuMachines) -> dict[str, str]:
    return {status.host: status.state for status in machines.status()}


RUNNING = {"gw": "running", "host1": "running", "host2": "running"}
STOPPED = dict.fromkeys(RUNNING, "stopped")


@pytest.fixture(scope="module")
def work(machines: QemuMachines, lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Work]:
    """The lab with the play on it, saved as `warm`; the clocks have gone on by five seconds at least since then."""
    folder = tmp_path_factory.mktemp("work")
    (folder / "inventory.yml").write_text(INVENTORY.replace("LAB", lab.name))
    (folder / "playbooks").mkdir()
    (folder / "playbooks" / "work.yml").write_text(PLAY)
    whole = load_lab(folder / "inventory.yml", [], folder / "playbooks")
    machines.up(Silent())
    work = Work(machines)
    with Hosts(machines.targets()) as hosts:
        for _ in range(_ROUNDS):
            reports = [carry_out(changes(whole, hosts), Silent()) for changes in (provision, apply)]
            if all(report.ok for report in reports):
                break
        for report in reports:
            assert report.ok, [(one.change.key, one.error) for one in report.failed] + report.blocked
        assert hosts["host1"].exec("one", ["sh", "-c", "echo kept > /data/kept"], timeout=120).ok
        work.containers = work.started(hosts)
    machines.snapshots.take("warm", Silent())
    work.taken = time.time()
    yield work
    for name in machines.snapshots.names():
        machines.snapshots.remove(name)


@pytest.fixture
def clean(work: Work) -> Work:
    """The machines run, whatever a test before did to them."""
    if states(work.machines) != RUNNING:
        work.machines.snapshots.restore("warm", Silent())
    return work


def test_the_machines_run_on_after_they_were_saved(work: Work) -> None:
    assert states(work.machines) == RUNNING
    with Hosts(work.machines.targets()) as hosts:
        clocks_must_be_right(hosts)
    work.must_be_alive()


def test_what_ran_goes_on_and_what_came_later_is_gone(clean: Work) -> None:
    with Hosts(clean.machines.targets()) as hosts:
        hosts["gw"].run("echo late > /shares/late; echo late > /root/late", check=True)
        hosts["host2"].docker.remove_container("two", force=True)
    assert within(30, lambda: time.time() - clean.taken > 5)
    clean.machines.snapshots.restore("warm", Silent())
    with Hosts(clean.machines.targets()) as hosts:
        clocks_must_be_right(hosts)
        assert not hosts["gw"].run("cat /shares/late").ok
        assert not hosts["gw"].run("cat /root/late").ok
    clean.must_be_alive()


def test_machines_that_were_killed_with_their_switch_are_restored(clean: Work, lab: Lab) -> None:
    assert not end(processes_in(LabState(lab.name).folder))
    assert states(clean.machines) == STOPPED
    clean.machines.snapshots.restore("warm", Silent())
    assert states(clean.machines) == RUNNING
    clean.must_be_alive()


def test_a_lab_that_was_changed_is_refused_and_left_alone(clean: Work, lab: Lab) -> None:
    changed = lab.inventory.model_dump(mode="json", by_alias=True)
    changed["hosts"]["host1"]["memory"] = "2G"
    changed["hosts"]["host2"]["address"] = "192.168.94.50"
    snapshots = QemuMachines(Lab(inventory=Inventory.model_validate(changed))).snapshots
    before = {process.pid for process in processes_in(LabState(lab.name).folder)}
    reasons = [
        "host1 was saved with memory 1G, and the inventory now says 2G",
        "host2 was saved with address 192.168.94.12/24, and the inventory now says 192.168.94.50/24",
    ]
    with pytest.raises(ClusterlabError) as raised:
        snapshots.restore("warm", Silent())
    assert raised.value.message == f"the snapshot warm is incompatible with the lab: {'; '.join(reasons)}"
    assert {process.pid for process in processes_in(LabState(lab.name).folder)} == before
    assert [list(one.incompatibilities) for one in snapshots.known()] == [reasons]


def test_snapshots_are_listed(clean: Work) -> None:
    [warm] = clean.machines.snapshots.known()
    assert (warm.name, warm.machines, warm.incompatibilities) == ("warm", ("gw", "host1", "host2"), ())
    assert warm.taken is not None
    assert abs((datetime.now(UTC) - warm.taken).total_seconds() - (time.time() - clean.taken)) < 120
    assert 100e6 < warm.size < 6e9


def test_a_name_is_given_once(clean: Work) -> None:
    with pytest.raises(UsageError, match="snapshot warm already exists"):
        clean.machines.snapshots.take("warm", Silent())


def test_a_machine_that_does_not_run_is_not_saved(clean: Work, lab: Lab) -> None:
    assert not end(processes_in(LabState(lab.name).host_folder("host2")))
    with pytest.raises(ClusterlabError, match="host2 is stopped"):
        clean.machines.snapshots.take("two", Silent())
    assert clean.machines.snapshots.names() == ["warm"]


def in_background(lab: Lab, tmp_path: Path, what: str) -> subprocess.Popen[bytes]:
    inventory = tmp_path / "inventory.json"
    inventory.write_text(lab.inventory.model_dump_json(by_alias=True))
    script = f"""
from pathlib import Path
from clusterlab.machines.qemu.lab import QemuMachines
from clusterlab.model.inventory import Inventory
from clusterlab.model.lab import Lab
from clusterlab.progress import Silent
inventory = Inventory.model_validate_json(Path({str(inventory)!r}).read_text())
QemuMachines(Lab(inventory=inventory)).snapshots.{what}
"""
    return subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL)


def run_states(lab: Lab) -> list[str]:
    found = []
    for host in lab.inventory.hosts:
        with monitor(LabState(lab.name).host_folder(host)) as qemu:
            found.append(str(qemu.execute("query-status")["status"]))
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_snapshot_that_was_interrupted_is_none(number: signal.Signals, clean: Work, lab: Lab, tmp_path: Path) -> None:
    half = LabState(lab.name).folder / "snapshots" / ".new"
    with in_background(lab, tmp_path, "take('half', Silent())") as take:
        assert within(60, lambda: any(half.glob("*/state")))  # all machines are stopped, and are being saved
        take.send_signal(number)
        assert take.wait(60) != 0
    assert within(60, lambda: run_states(lab) == ["running"] * 3)
    assert clean.machines.snapshots.names() == ["warm"]
    assert half.exists() == (number == signal.SIGKILL)
    clean.must_be_alive()
    clean.machines.snapshots.take("next", Silent())
    assert not half.exists()
    clean.machines.snapshots.remove("next")
    assert clean.machines.snapshots.names() == ["warm"]
    assert states(clean.machines) == RUNNING


@pytest.mark.skipif(os.geteuid() != 0, reason="a small file system has to be mounted")
def test_a_full_disk_is_said_and_machines_run_on(clean: Work, lab: Lab) -> None:
    folder = LabState(lab.name).folder / "snapshots"
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300M", "none", folder], check=True)
    try:
        with pytest.raises(ClusterlabError, match="no space left") as raised:
            clean.machines.snapshots.take("large", Silent())
        assert "free some space" in raised.value.remedy
        assert clean.machines.snapshots.names() == []
        assert list(folder.iterdir()) == []
    finally:
        subprocess.run(["umount", folder], check=True)
    assert states(clean.machines) == RUNNING
    clean.must_be_alive()


def disks(lab: Lab) -> dict[str, int]:
    """Which file each machine's disk is."""
    return {host: (LabState(lab.name).host_folder(host) / "disk.qcow2").stat().st_ino for host in lab.inventory.hosts}


def test_a_restore_that_fails_leaves_all_as_they_were_but_stopped(clean: Work, lab: Lab) -> None:
    folder = LabState(lab.name).folder / "snapshots"
    shutil.copytree(folder / "warm", folder / "torn")
    with (folder / "torn" / "host2" / "state").open("r+b") as state:
        state.truncate(5_000_000)
    before = disks(lab)
    with pytest.raises(ClusterlabError, match=r"torn could not be restored: .*host2") as raised:
        clean.machines.snapshots.restore("torn", Silent())
    assert "The machines are stopped, and each has the disk that it had before" in raised.value.message
    assert "clusterlab up" in raised.value.remedy
    assert states(clean.machines) == STOPPED
    assert disks(lab) == before
    clean.machines.snapshots.remove("torn")
    clean.machines.snapshots.restore("warm", Silent())
    clean.must_be_alive()


def test_a_restore_that_was_killed_is_undone_by_up(clean: Work, lab: Lab, tmp_path: Path) -> None:
    state = LabState(lab.name)
    with Hosts(clean.machines.targets()) as hosts:
        hosts["gw"].run("echo late > /root/late && sync", check=True)
    before = disks(lab)
    with in_background(lab, tmp_path, "restore('warm', Silent())") as restore:
        assert within(60, lambda: (state.folder / "restoring").exists() and bool(processes_in(state.host_folder("gw"))))
        restore.send_signal(signal.SIGKILL)
        assert restore.wait(60) != 0
    assert disks(lab) != before
    clean.machines.up(Silent())
    assert disks(lab) == before
    assert states(clean.machines) == RUNNING
    with Hosts(clean.machines.targets()) as hosts:
        assert hosts["gw"].run("cat /root/late").stdout == "late\n"


def test_a_snapshot_is_removed(clean: Work, lab: Lab) -> None:
    clean.machines.snapshots.remove("warm")
    assert clean.machines.snapshots.names() == []
    assert list((LabState(lab.name).folder / "snapshots").iterdir()) == []
    with pytest.raises(UsageError, match="has no snapshot 'warm'"):
        clean.machines.snapshots.restore("warm", Silent())
    assert states(clean.machines) == RUNNING
