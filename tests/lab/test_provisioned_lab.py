"""A lab saved when it was provisioned: the next one starts there, as the same machines, if it still fits."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clusterlab.machines.qemu.lab import QemuMachines
from clusterlab.machines.qemu.processes import processes_in
from clusterlab.machines.qemu.qmp import monitor
from clusterlab.machines.saved_labs import SavedFolder
from clusterlab.machines.state import LabState
from clusterlab.model import Lab, load_inventory
from clusterlab.plan.provision import provision
from clusterlab.progress import Silent
from clusterlab.remote import Hosts

from .conftest import LAB as SHARED
from .conftest import LOGS

LAB = f"{SHARED}-saved"
INVENTORY = f"""
lab: {LAB}
machines: qemu
network: {{subnet: 192.168.93.0/24}}
hosts:
  gw: {{address: 192.168.93.1, roles: [nfs_server]}}
  host1: {{address: 192.168.93.11, roles: [docker, swarm_manager]}}
  host2: {{address: 192.168.93.12, roles: [docker, swarm_worker]}}
nfs:
  exports:
    - {{path: /shares, clients: "${{network.subnet}}", options: [rw, sync, no_subtree_check, no_root_squash]}}
images:
  shell: {{build: busybox}}
"""
PLAY = """
title: What needs NFS, and the Swarm with both of its nodes
volumes:
  nfs: {driver_opts: {type: nfs, o: "addr=${hosts.gw.address},rw,nfsvers=4.2", device: ":/shares"}}
networks:
  over: {driver: overlay, attachable: true}
containers:
  one: {host: host1, image: shell, command: [sleep, infinity], volumes: ["nfs:/data"], networks: [over]}
  two: {host: host2, image: shell, command: [sleep, infinity], volumes: ["nfs:/data"], networks: [over]}
checks:
  - {title: one reads and writes the share, command: {in: one, run: "date > /data/now && cat /data/now"}}
  - {title: one reaches two, ping: {in: one, to: two}}
"""
STARTED, SAVING = "starting it as it was saved", "saving it as provisioned"
Program = Callable[..., str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved")
    (folder / "inventory.yml").write_text(INVENTORY)
    (folder / "playbooks").mkdir()
    (folder / "playbooks" / "work.yml").write_text(PLAY)
    return folder


@pytest.fixture(scope="module")
def clusterlab(folder: Path) -> Iterator[Program]:
    """The program in the lab's folder; returns what it printed. Nothing of the lab remains at the end."""

    def call(*words: str) -> str:
        argv = [sys.executable, "-m", "clusterlab", *words, "-i", "inventory.yml"]
        done = subprocess.run(argv, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        print(f"$ clusterlab {' '.join(words)}\n{done.stdout}")
        assert done.returncode == 0
        return done.stdout

    call("down", "--saved")
    yield call
    machines(folder).collect(LOGS / "saved", Silent())
    call("down", "--saved")
    assert not SavedFolder(LAB).exists
    assert processes_in(LabState(LAB).folder) == []


class Before:
    """The machines that were saved: what makes them the same ones, and how long they took."""

    def __init__(self, clusterlab: Program, folder: Path) -> None:
        self.printed = clusterlab("run", "--json", "first.json")
        self.seconds = stages(folder, "first.json")
        self.identities = identities(folder)


@pytest.fixture(scope="module")
def saved(clusterlab: Program, folder: Path) -> Before:
    """The lab after `run` from the image, and after `down`."""
    before = Before(clusterlab, folder)
    assert "as it was saved for the next start" in clusterlab("down")
    assert not LabState(LAB).folder.exists()
    return before


def lab_of(folder: Path) -> Lab:
    return load_inventory(folder / "inventory.yml")


def machines(folder: Path) -> QemuMachines:
    lab = lab_of(folder)
    return QemuMachines(Lab(inventory=lab.inventory, folder=folder))


def stages(folder: Path, file: str) -> dict[str, float]:
    document = json.loads((folder / file).read_text())
    assert document["outcome"] == "pass"
    seconds: dict[str, float] = document["stages"]
    print(file, seconds)
    return seconds


def identities(folder: Path) -> dict[str, list[str]]:
    """What each machine is known by, to others and to itself."""
    ask = """
    cat /etc/machine-id /etc/hostname /etc/ssh/ssh_host_ed25519_key.pub /sys/class/net/eth1/address
    cat /var/lib/docker/engine-id 2>/dev/null; echo
    [ "$(systemctl is-active docker)" = active ] || exit 0
    docker info --format '{{.Swarm.NodeID}} {{.Swarm.NodeAddr}}' 2>/dev/null
    """
    with Hosts(machines(folder).targets()) as hosts:
        return {name: hosts[name].run(ask).stdout.split() for name in hosts}


def settled_and_provisioned(folder: Path) -> None:
    """Nothing is left to provision, and no clock stands."""
    with Hosts(machines(folder).targets()) as hosts:
        assert provision(lab_of(folder), hosts) == []
        for name in hosts:
            hosts[name].run("true")  # connected before it is measured
            before = time.time()
            clock = float(hosts[name].run("date +%s.%N", check=True).stdout)
            assert before - 2 < clock < time.time() + 2, name


def test_the_next_start_gives_the_same_machines_with_nothing_to_provision(
    saved: Before, clusterlab: Program, folder: Path
) -> None:
    assert SAVING in saved.printed
    assert STARTED not in saved.printed
    files = [path for path in SavedFolder(LAB).path.rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o077 for path in files if path.suffix != ".pub"} == {0}
    began = time.monotonic()
    printed = clusterlab("up")
    seconds = time.monotonic() - began
    assert STARTED in printed
    settled_and_provisioned(folder)
    assert identities(folder) == saved.identities
    assert seconds < saved.seconds["up"] + saved.seconds["provision"], "and it is faster"
    printed = clusterlab("run", "--json", "second.json")
    assert SAVING not in printed, "others may have used the machines since `up`"
    stages(folder, "second.json")
    clusterlab("down")
    assert SavedFolder(LAB).damage() == ""


def test_a_changed_inventory_starts_from_the_image(saved: Before, clusterlab: Program, folder: Path) -> None:
    """Of one machine, as only the beginning matters."""
    (folder / "inventory.yml").write_text(INVENTORY.replace("  host", "#  host"))
    try:
        printed = clusterlab("up")
        assert "because the inventory changed since then: starting from the image" in printed
        assert STARTED not in printed
        assert identities(folder)["gw"][0] != saved.identities["gw"][0]
        clusterlab("down")
    finally:
        (folder / "inventory.yml").write_text(INVENTORY)
    assert SavedFolder(LAB).exists


@pytest.mark.long
def test_fresh_machines_are_others(saved: Before, clusterlab: Program, folder: Path) -> None:
    assert STARTED not in clusterlab("up", "--fresh")
    assert set(identities(folder)) == set(saved.identities)
    for host, identity in identities(folder).items():
        assert identity[0] != saved.identities[host][0]
    clusterlab("down")


def run_states(folder: Path) -> list[str]:
    found = []
    for host in lab_of(folder).inventory.hosts:
        with monitor(LabState(LAB).host_folder(host)) as qemu:
            found.append(str(qemu.execute("query-status")["status"]))
    return found


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_saving_that_is_interrupted_leaves_what_was_saved_before(
    number: signal.Signals, saved: Before, clusterlab: Program, folder: Path
) -> None:
    clusterlab("up")
    record = SavedFolder(LAB).record()
    half = SavedFolder(LAB).path.with_name(f"{LAB}.new")
    script = """
from pathlib import Path
from clusterlab.machines.qemu.lab import QemuMachines
from clusterlab.model import load_inventory
from clusterlab.progress import Silent
from clusterlab.remote import Hosts
machines = QemuMachines(load_inventory(Path("inventory.yml")))
with Hosts(machines.targets()) as hosts:
    machines.saved_lab.save(hosts, Silent())
"""
    with subprocess.Popen([sys.executable, "-c", script], cwd=folder, stderr=subprocess.DEVNULL) as save:
        assert within(60, lambda: any(half.glob("hosts/*/state")))
        save.send_signal(number)
        assert save.wait(60) != 0
    assert within(60, lambda: run_states(folder) == ["running"] * 3)
    assert half.exists() == (number == signal.SIGKILL)
    assert SavedFolder(LAB).record() == record
    assert SavedFolder(LAB).damage() == ""
    with Hosts(machines(folder).targets()) as hosts:
        machines(folder).saved_lab.save(hosts, Silent())
    assert not half.exists()
    assert SavedFolder(LAB).record().saved > record.saved
    clusterlab("down")


def test_a_truncated_state_is_noticed_and_the_lab_starts_from_the_image(
    saved: Before, clusterlab: Program, folder: Path
) -> None:
    """Last, since it is removed."""
    state = SavedFolder(LAB).path / "hosts" / "host1" / "state"
    size = state.stat().st_size
    os.truncate(state, size - 1)
    printed = clusterlab("up")
    assert f"{state} has {size - 1} of its {size} bytes" in printed.replace("\n", "")
    assert "starting from the image" in printed
    assert not SavedFolder(LAB).exists
    assert identities(folder)["host1"][0] != saved.identities["host1"][0]
