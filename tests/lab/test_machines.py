"""Virtual machines: what they can do, what makes each its own, and that nothing but `down` loses them."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from clusterlab.errors import ClusterlabError, DeadlineExceeded, HostError
from clusterlab.machines import recall_machines
from clusterlab.machines.keys import LabKeys
from clusterlab.machines.qemu.lab import QemuMachines
from clusterlab.machines.qemu.lan import Lan
from clusterlab.machines.qemu.processes import Process, processes_in
from clusterlab.machines.state import LabState
from clusterlab.model.inventory import Inventory
from clusterlab.model.lab import Lab
from clusterlab.progress import Silent
from clusterlab.remote import Hosts
from clusterlab.remote.host import Host

IDENTITY = {
    "host name": "cat /proc/sys/kernel/hostname",
    "machine id": "cat /etc/machine-id",
    "host key": "cut -d' ' -f2 /etc/ssh/ssh_host_ed25519_key.pub",
    "MAC": "cat /sys/class/net/eth1/address",
    "LAN address": "ip -4 -o address show dev eth1 | awk '{print $4}'",
    "link-local address": "ip -6 -o address show dev eth1 scope link | awk '{print $4}'",
    "journal": "ls /run/log/journal",
}


def of_each(hosts: Hosts, function: Callable[[Host], str]) -> dict[str, str]:
    """What a function says on every host; a host that cannot be asked fails the test."""
    answers = hosts.each(list(hosts), function)
    for answer in answers.values():
        if isinstance(answer, ClusterlabError):
            raise answer
    return {host: str(answer) for host, answer in answers.items()}


def qemu_of(lab: Lab, host: str) -> Process:
    return next(process for process in processes_in(LabState(lab.name).folder) if process.machine == host)


def states(machines: QemuMachines) -> dict[str, str]:
    return {status.host: status.state for status in machines.status()}


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def test_all_answer_and_status_says_so(machines: QemuMachines, hosts: Hosts) -> None:
    assert states(machines) == {"gw": "running", "host1": "running", "host2": "running"}
    assert of_each(hosts, lambda host: host.run("id -un", check=True).stdout.strip()) == {
        "gw": "root",
        "host1": "root",
        "host2": "root",
    }


@pytest.mark.parametrize("what", IDENTITY)
def test_no_two_machines_are_alike_in(what: str, hosts: Hosts) -> None:
    found = of_each(hosts, lambda host: host.run(IDENTITY[what], check=True).stdout.strip())
    assert all(found.values())
    assert len(set(found.values())) == len(found), found


def test_no_two_engines_have_one_id(hosts: Hosts) -> None:
    found = of_each(hosts, lambda host: str(host.docker.info()["ID"]))
    assert len(set(found.values())) == len(found), found


def test_engines_give_the_hosts_name(hosts: Hosts) -> None:
    assert of_each(hosts, lambda host: str(host.docker.info()["Name"])) == {name: name for name in hosts}


def test_random_numbers_of_clones_are_their_own(hosts: Hosts) -> None:
    found = of_each(hosts, lambda host: host.run("head -c 16 /dev/urandom | od -An -tx1", check=True).stdout)
    assert len(set(found.values())) == len(found), found


def test_clocks_are_right(hosts: Hosts) -> None:
    for name in hosts:
        hosts[name].run("true")
        before = time.time()
        clock = float(hosts[name].run("date +%s.%N", check=True).stdout)
        after = time.time()
        assert before - 2 < clock < after + 2, name


def test_names_and_addresses_are_the_inventorys(lab: Lab, hosts: Hosts) -> None:
    for name, host in lab.inventory.hosts.items():
        assert hosts[name].run("cat /etc/hostname", check=True).stdout.strip() == name
        assert f"{host.address}/24" in hosts[name].run("ip -4 -o address show dev eth1", check=True).stdout


def test_machines_reach_each_other_by_name_on_the_lan(lab: Lab, hosts: Hosts) -> None:
    for name in hosts:
        for other in hosts:
            pinged = hosts[name].run(["ping", "-c", "1", "-W", "5", other])
            assert pinged.ok, f"{name} to {other}: {pinged.output}"
            if other != name:
                assert str(lab.inventory.hosts[other].address) in pinged.stdout


def test_a_name_that_nobody_has_is_not_reached(hosts: Hosts) -> None:
    assert not hosts["gw"].run(["ping", "-c", "1", "-W", "2", "192.168.94.77"]).ok


@pytest.mark.parametrize("module", ["nfs", "nfsd", "vxlan", "ip_vs", "overlay", "xfs", "iscsi_tcp"])
def test_kernel_has(module: str, hosts: Hosts) -> None:
    assert hosts["host1"].run(["modprobe", module]).ok


def test_runc_is_one_sealed_copy_of_what_is_installed(hosts: Hosts) -> None:
    seals = 'use Fcntl; open my $file, "<", "/usr/local/sbin/runc" or die; print fcntl $file, 1034, 0'  # F_GET_SEALS
    assert set(of_each(hosts, lambda host: host.run(["perl", "-e", seals], check=True).stdout).values()) == {"15"}
    of_each(hosts, lambda host: host.run("cmp /usr/local/sbin/runc /usr/sbin/runc", check=True).stdout)


def test_another_runc_that_is_installed_is_the_one_that_runs(hosts: Hosts) -> None:
    host = hosts["host2"]
    before = host.run("readlink /usr/local/sbin/runc", check=True).stdout
    host.run("cp -p /usr/sbin/runc /usr/sbin/runc.new && mv /usr/sbin/runc.new /usr/sbin/runc", check=True)
    assert within(60, lambda: host.run("readlink /usr/local/sbin/runc").stdout not in ("", before))
    host.run("/usr/local/sbin/runc --version", check=True)


def test_host_keys_are_strict(machines: QemuMachines, lab: Lab, tmp_path: Path) -> None:
    """Another machine's key under the name must be refused: first seen to be accepted as it should be."""
    target = machines.targets()["host1"]
    with Hosts({"host1": target}) as hosts:
        assert hosts["host1"].run("true").ok
    keys = LabKeys(LabState(lab.name).folder, lab.name)
    wrong = tmp_path / "known_hosts"
    wrong.write_text(f"{keys.alias('host1')} {keys.host('host2').with_suffix('.pub').read_text()}")
    with Hosts({"host1": replace(target, known_hosts=(wrong,))}) as hosts, pytest.raises(HostError, match="host key"):
        hosts["host1"].run("true")


def test_passwords_are_not_asked_for(machines: QemuMachines) -> None:
    port = machines.targets()["gw"].port
    options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "PubkeyAuthentication=no", "BatchMode=yes"]
    command = ["ssh", "-F", "none", "-p", str(port), *(f"-o{option}" for option in options), "root@127.0.0.1", "true"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert "(publickey)" in done.stderr


def test_a_second_up_changes_nothing(machines: QemuMachines, lab: Lab) -> None:
    before = {process.pid for process in processes_in(LabState(lab.name).folder)}
    machines.up(Silent())
    assert {process.pid for process in processes_in(LabState(lab.name).folder)} == before


def test_two_ups_at_once_are_refused(machines: QemuMachines, lab: Lab) -> None:
    script = f"""
import sys
from clusterlab.machines.state import LabState
with LabState({lab.name!r}).lock("up"):
    print("locked", flush=True)
    sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        with pytest.raises(ClusterlabError, match=f"another clusterlab.*up.*{other.pid}"):
            machines.up(Silent())
        other.communicate("")


def test_a_machine_that_was_killed_is_seen_and_repaired(machines: QemuMachines, lab: Lab) -> None:
    with Hosts(machines.targets()) as hosts:
        hosts["host2"].run("echo precious > /root/kept && sync", check=True)
    before = qemu_of(lab, "host2")
    others = {host: qemu_of(lab, host).pid for host in ("gw", "host1")}
    before.signal(signal.SIGKILL)
    assert before.wait(10)
    status = {status.host: status for status in machines.status()}
    assert status["host2"].state == "stopped"
    assert "killed" in status["host2"].detail
    assert status["host1"].state == "running"
    machines.up(Silent())
    assert states(machines)["host2"] == "running"
    assert {host: qemu_of(lab, host).pid for host in others} == others
    with Hosts(machines.targets()) as hosts:
        assert hosts["host2"].run("cat /root/kept").stdout == "precious\n"


def test_a_machine_rebooted_from_inside_comes_back_as_itself(machines: QemuMachines) -> None:
    command = "; ".join(IDENTITY[what] for what in ("host name", "machine id", "host key", "MAC", "LAN address"))
    command += "; cat /var/lib/docker/engine-id"
    with Hosts(machines.targets()) as hosts:
        before = hosts["host1"].run(command, check=True).stdout
        boot = hosts["host1"].run("cat /proc/sys/kernel/random/boot_id", check=True).stdout
        hosts["host1"].run("systemctl --no-block reboot")
    assert within(60, lambda: states(machines)["host1"] == "unreachable")
    machines.up(Silent())
    with Hosts(machines.targets()) as hosts:
        assert hosts["host1"].run("cat /proc/sys/kernel/random/boot_id", check=True).stdout != boot
        assert hosts["host1"].run(command, check=True).stdout == before
        assert hosts["host1"].run("ping -c 1 -W 5 gw").ok


def test_a_switch_that_ended_is_seen_and_repaired(machines: QemuMachines, lab: Lab) -> None:
    switch = next(process for process in processes_in(LabState(lab.name).folder) if process.machine is None)
    switch.signal(signal.SIGKILL)
    assert switch.wait(10)
    assert all("switch has ended" in status.detail for status in machines.status())
    machines.up(Silent())
    with Hosts(machines.targets()) as hosts:
        assert hosts["host1"].run("ping -c 1 -W 5 host2").ok


def test_a_half_created_machine_is_recreated(machines: QemuMachines, lab: Lab) -> None:
    """What a kill -9 of `up` leaves: a QEMU that waits for its saved machine, and no mark that it ever answered."""
    process = qemu_of(lab, "gw")
    (LabState(lab.name).host_folder("gw") / "ready").unlink()
    process.signal(signal.SIGSTOP)
    assert states(machines)["gw"] == "starting"
    with pytest.raises(ClusterlabError, match="not up: no gw"):
        machines.targets()
    machines.up(Silent())
    assert not process.alive
    assert states(machines)["gw"] == "running"


def test_an_address_that_changed_in_the_inventory_is_refused(machines: QemuMachines, lab: Lab) -> None:
    changed = lab.inventory.model_dump(mode="json", by_alias=True)
    changed["hosts"]["host1"]["address"] = "192.168.94.50"
    moved = QemuMachines(Lab(inventory=Inventory.model_validate(changed)))
    with pytest.raises(ClusterlabError, match=r"host1 was created with the address 192\.168\.94\.11") as raised:
        moved.up(Silent(), keep=True)
    assert "down" in raised.value.remedy


def test_down_leaves_nothing(machines: QemuMachines, lab: Lab) -> None:
    """Without the inventory, from the state alone; last, since the other tests need the machines."""
    folder = LabState(lab.name).folder
    sockets = Lan(folder).sockets
    assert folder.exists()
    assert sockets.exists()
    assert len(processes_in(folder)) == 4
    recall_machines(lab.name).down(Silent())
    assert not folder.exists()
    assert not folder.with_name(f"{lab.name}.lock").exists()
    assert not sockets.exists()
    assert processes_in(folder) == []
    assert str(folder) not in Path("/proc/net/unix").read_text()
    assert states(machines) == {"gw": "absent", "host1": "absent", "host2": "absent"}
    machines.down(Silent())  # nothing to do is not an error


def test_down_after_the_state_was_removed_manually(machines: QemuMachines, lab: Lab) -> None:
    one = lab.inventory.model_dump(mode="json", by_alias=True)
    one["hosts"] = {"gw": one["hosts"]["gw"]}
    alone = QemuMachines(Lab(inventory=Inventory.model_validate(one)))
    alone.up(Silent())
    folder = LabState(lab.name).folder
    assert len(processes_in(folder)) == 2
    subprocess.run(["rm", "-r", str(folder)], check=True)
    alone.down(Silent())
    assert processes_in(folder) == []


@pytest.fixture
def alone(lab: Lab, machines: QemuMachines) -> Iterator[Lab]:
    """Another lab, of one machine, of which nothing remains afterwards."""
    inventory = lab.inventory.model_dump(mode="json", by_alias=True)
    inventory["lab"] = f"{lab.name}-alone"
    inventory["hosts"] = {"gw": inventory["hosts"]["gw"]}
    other = Lab(inventory=Inventory.model_validate(inventory))
    yield other
    QemuMachines(other).down(Silent())
    assert processes_in(LabState(other.name).folder) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_up_that_was_interrupted_goes_on(number: signal.Signals, alone: Lab, tmp_path: Path) -> None:
    inventory = tmp_path / "inventory.json"
    inventory.write_text(alone.inventory.model_dump_json(by_alias=True))
    script = f"""
from pathlib import Path
from clusterlab.machines.qemu.lab import QemuMachines
from clusterlab.model.inventory import Inventory
from clusterlab.model.lab import Lab
from clusterlab.progress import Silent
inventory = Inventory.model_validate_json(Path({str(inventory)!r}).read_text())
QemuMachines(Lab(inventory=inventory)).up(Silent())
"""
    folder = LabState(alone.name).folder
    with subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL) as up:
        assert within(60, lambda: any(process.machine == "gw" for process in processes_in(folder)))
        up.send_signal(number)
        assert up.wait(30) != 0
    assert states(QemuMachines(alone)) == {"gw": "starting"}
    QemuMachines(alone).up(Silent())
    assert states(QemuMachines(alone)) == {"gw": "running"}


def test_up_that_fails_keeps_the_logs_and_removes_the_rest(alone: Lab) -> None:
    hasty = alone.inventory.model_dump(mode="json", by_alias=True)
    hasty["qemu"]["boot_timeout"] = 2.0
    machines = QemuMachines(Lab(inventory=Inventory.model_validate(hasty)), clones=False)
    with pytest.raises(DeadlineExceeded, match=r"gw: no answer over SSH after \d+ s") as raised:
        machines.up(Silent())
    logs = LabState(alone.name).failure_logs
    assert str(logs) in raised.value.remedy
    assert (logs / "gw" / "console.log").exists()
    shutil.rmtree(logs)
    assert states(machines) == {"gw": "absent"}
    assert processes_in(LabState(alone.name).folder) == []
