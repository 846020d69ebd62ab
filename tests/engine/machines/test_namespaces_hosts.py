"""What a host in namespaces is like from inside."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clusterlab.errors import HostError
from clusterlab.machines.over_ssh import lacking
from clusterlab.remote import Host, Hosts

NAMES = ("gw", "host1", "host2")


@pytest.fixture
def host(engine_lab: Any) -> Host:
    found: Host = engine_lab.hosts["host1"]
    return found


@pytest.mark.parametrize(
    "question",
    [
        "hostname",
        "cat /etc/machine-id",
        "cat /etc/ssh/ssh_host_ed25519_key.pub",
        "cat /sys/class/net/eth0/address",
        "ip -4 -o addr show eth0",
        "readlink /proc/self/ns/net /proc/self/ns/mnt /proc/self/ns/pid /proc/self/ns/uts /proc/self/ns/ipc",
        "docker info --format '{{.ID}}' || hostname",
    ],
)
def test_no_two_hosts_are_alike(engine_lab: Any, question: str) -> None:
    answers = [engine_lab.hosts[name].run(question, check=True).stdout for name in NAMES]
    assert all(answers)
    assert len(set(answers)) == len(NAMES)


def test_a_wrong_host_key_is_refused(engine_lab: Any) -> None:
    targets = engine_lab.machines.targets()
    swapped = replace(targets["host1"], alias=targets["host2"].alias)
    with Hosts({"host1": swapped}) as hosts, pytest.raises(HostError, match="key"):
        hosts["host1"].run("true")


def test_its_root_is_its_own(host: Host) -> None:
    """pivot_root, not chroot: nothing of the outer file systems is mounted, and process 1 is the host's."""
    mounts = host.run("cut -d' ' -f5 /proc/self/mountinfo", check=True).stdout.split()
    assert "/mnt" not in mounts
    assert {mount for mount in mounts if mount.startswith("/var/")} == {"/var/lib/docker", "/var/lib/containerd"}
    assert "clusterlab/init" in host.run("cat /proc/1/cmdline", check=True).stdout
    assert host.run("stat -f -c %T /", check=True).stdout == "overlayfs\n"
    assert host.run("stat -f -c %T /var/lib/docker", check=True).stdout != "overlayfs\n"


def test_process_1_collects_orphans(host: Host) -> None:
    host.run("for i in 1 2 3; do (true &) ; (sh -c 'sleep 0.01 & exit' &); done; sleep 0.2", check=True)
    assert host.run("grep -l '^State:.Z' /proc/[0-9]*/status").stdout == ""


def test_there_is_no_way_out_of_the_lan(host: Host) -> None:
    assert "default" not in host.run("ip route", check=True).stdout
    lookup = host.run("getent hosts name.example", timeout=10)
    assert lookup.exit != 0
    assert lookup.seconds < 2


def test_only_engines_forward_whatever_this_machine_does(engine_lab: Any, host: Host) -> None:
    forwards = {name: engine_lab.hosts[name].run("cat /proc/sys/net/ipv4/ip_forward").stdout for name in NAMES}
    assert forwards == {"gw": "0\n", "host1": "1\n", "host2": "1\n"}
    assert "-P FORWARD DROP\n" in host.run("iptables -S FORWARD", check=True).stdout


def test_a_cut_lan_does_not_cut_management(engine_lab: Any, host: Host) -> None:
    host.run("ip link set eth0 down", check=True)
    try:
        assert not host.run("ping -c1 -W1 host2").ok
    finally:
        host.run("ip link set eth0 up", check=True)
    assert host.run("ping -c1 -W2 host2").ok


def test_services_start_and_stop(host: Host) -> None:
    def state() -> str:
        return host.run("systemctl is-active docker").stdout.strip()

    assert state() == "active"
    host.run("systemctl stop docker", check=True)
    assert state() == "inactive"
    assert not host.run("docker ps").ok
    host.run("systemctl start docker", check=True)
    assert host.run("docker ps").ok
    first = host.run("cat /run/clusterlab/docker.pid", check=True).stdout
    host.run("systemctl restart docker.service", check=True)
    assert host.run("docker ps").ok
    assert host.run("cat /run/clusterlab/docker.pid", check=True).stdout != first
    assert host.run("systemctl is-enabled docker").stdout == "enabled\n"


def test_a_service_that_died_is_failed_and_starts_again(host: Host) -> None:
    host.run("kill -9 $(cat /run/clusterlab/docker.pid)", check=True)
    host.run("for i in $(seq 100); do systemctl -q is-active docker || exit 0; sleep 0.05; done; exit 1", check=True)
    assert host.run("systemctl is-active docker").stdout == "failed\n"
    host.run("systemctl start docker", check=True)
    assert host.run("docker ps").ok


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        ("systemctl mask docker", 1, "'mask' is not supported"),
        ("systemctl start nosuch", 5, "Unit nosuch not found"),
        ("systemctl is-active nosuch", 4, "inactive"),
        ("systemctl is-enabled nosuch.service", 4, "not-found"),
        ("systemctl --root=/x start docker", 1, "option --root=/x is not supported"),
        ("systemctl start", 1, "no unit is named"),
        ("journalctl -k", 1, "-k is not supported"),
    ],
)
def test_what_the_stand_ins_cannot_do_fails_aloud(host: Host, command: str, code: int, words: str) -> None:
    done = host.run(command)
    assert done.exit == code
    assert words in done.output


def test_the_journal_has_what_services_wrote(host: Host) -> None:
    since = host.run("date +%s", check=True).stdout.strip()
    host.run("systemctl restart docker", check=True)
    lines = host.run(f"journalctl -u docker --since @{since} --no-pager -n 50", check=True).stdout.splitlines()
    assert any("API listen" in line for line in lines)
    assert all(" host1 docker: " in line for line in lines)
    assert len(host.run("journalctl -u docker -n 2 --no-pager", check=True).stdout.splitlines()) == 2
    later = int(since) + 3600
    assert host.run(f"journalctl -u docker --since @{later}", check=True).stdout == ""
    assert "API listen" in host.run("journalctl --since '5 min ago' -o cat", check=True).stdout


def test_missing_capabilities_have_reasons(engine_lab: Any) -> None:
    unsupported = engine_lab.machines.unsupported()
    assert set(unsupported.missing) == set(engine_lab.hosts)
    missing = unsupported.missing["host1"]
    assert all(reason for reason in missing.values())
    kernel = Path("/proc/filesystems").read_text()
    assert ("this kernel has no NFS" in missing["nfs"]) == ("nfs4" not in kernel or "nfsd" not in kernel)
    assert "vxlan" not in missing  # engines could not have overlay networks


def test_each_host_is_asked_for_its_own_kernel(engine_lab: Any) -> None:
    """One that was upgraded and not rebooted is named as such, and hides no other host's capabilities."""
    if "nfs" in Path("/proc/filesystems").read_text():
        pytest.skip("this kernel has NFS built in, on every host")
    hosts = engine_lab.hosts
    modules = hosts["host1"].run("ls /lib/modules", check=True).stdout.strip()
    running = hosts["host1"].run("uname -r", check=True).stdout.strip()
    hosts["gw"].run(["ln", "-s", modules, f"/lib/modules/{running}"], check=True)
    hosts["host2"].run(["mkdir", f"/lib/modules/{running}"], check=True)
    try:
        found = lacking(engine_lab.machines.targets())
    finally:
        hosts["gw"].run(["rm", f"/lib/modules/{running}"], check=True)
        hosts["host2"].run(["rmdir", f"/lib/modules/{running}"], check=True)
    assert found.has("gw", "nfs")
    assert found.reason("host1", "nfs") == (
        f"kernel {running} runs, and /lib/modules has only {modules}: the kernel was upgraded without a reboot, "
        "and its modules cannot be loaded until then"
    )
    assert found.reason("host2", "nfs") == f"kernel {running} has it neither built in nor as a module"
