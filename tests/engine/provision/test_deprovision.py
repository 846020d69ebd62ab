"""What provision added to hosts is taken back: they are as they were before."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from clusterlab.errors import ClusterlabError
from clusterlab.plan.deprovision import Withdrawal, deprovision
from clusterlab.plan.graph import carry_out
from clusterlab.resources import record, sysctl
from tests.support.provision_bench import Bench, with_inventory

pytestmark = pytest.mark.engine
Fresh = Callable[..., Bench]
_STATE = r"""
find /etc /var/lib/clusterlab -type f ! -path '/etc/docker/*' -exec md5sum {} + 2>/dev/null | sort -k 2
for unit in docker containerd; do echo "$unit $(systemctl is-active $unit) $(systemctl is-enabled $unit)"; done
sysctl -n net.core.somaxconn net.ipv4.ip_local_port_range
"""
INSTALLED = """
dpkg-query -W -f '${Package} ${db:Status-Status}\\n' curl tgt docker.io 2>/dev/null | sed -n 's/ installed$//p' | xargs
"""


def states(bench: Bench) -> dict[str, str]:
    """Files of the configuration, units and parameters of each host."""
    return {name: bench.run(name, _STATE) for name in bench.lab.inventory.hosts}


def taken_back(bench: Bench, *allowed: str) -> Withdrawal:
    found = deprovision(bench.lab.name, bench.hosts, allowed, bench.heard)
    report = carry_out(found.changes, bench.heard)
    assert report.ok, (report.failed, report.blocked, report.skipped)
    return found


def test_hosts_are_as_they_were_before_provision(fresh: Fresh) -> None:
    bench = with_inventory(fresh(3), sysctl={"net.core.somaxconn": 1024, "net.ipv4.ip_local_port_range": "20000 40000"})
    bench.run("host2", "systemctl disable --now docker")
    before = states(bench)
    bench.provisioned()
    assert bench.run("host1", f"stat -c %a /var/lib/clusterlab/provision/{bench.lab.name}/*").split()[0] == "600"
    assert states(bench) != before

    found = taken_back(bench)  # without options
    kept = {str(one.key): one.reason for one in found.kept}
    assert kept["host1: swarm membership"] == "nodes stay in the Swarm unless --swarm is given"
    assert kept["host2: engine docker"] == "its node is in a Swarm"
    assert set(bench.nodes()) == {"host1", "host2", "host3"}

    found = taken_back(bench, "--swarm")
    for host in ("host1", "host3"):
        assert bench.run(host, "docker info --format '{{.Swarm.LocalNodeState}}'") == "inactive"
    assert states(bench) == before
    assert bench.run("host1", "ls -d /var/lib/clusterlab 2>/dev/null || echo gone") == "gone"
    again = deprovision(bench.lab.name, bench.hosts, ("--swarm",))
    assert again.changes == []


def test_a_swarm_of_others_and_what_they_use_stay(fresh: Fresh) -> None:
    bench = fresh(2)
    bench.run("host1", "docker swarm init --advertise-addr 10.74.0.11")
    adopting = with_inventory(bench, swarm={"adopt": True})
    adopting.provisioned()
    assert set(bench.nodes()) == {"host1", "host2"}
    found = taken_back(adopting, "--swarm")
    assert {str(one.key): one.reason for one in found.kept if one.key.kind == "swarm"} == {
        "host1: swarm membership": "clusterlab did not add its node to the Swarm"
    }
    assert set(bench.nodes()) == {"host1"}


def test_a_parameter_that_somebody_has_changed_since_keeps_its_value(fresh: Fresh) -> None:
    bench = with_inventory(fresh(1), sysctl={"net.core.somaxconn": 1024})
    bench.provisioned()
    bench.run("host1", "sysctl -w net.core.somaxconn=2222")
    taken_back(bench)
    assert bench.run("host1", "sysctl -n net.core.somaxconn") == "2222"
    assert bench.run("host1", "ls /etc/sysctl.d").count("clusterlab") == 0


def test_a_file_that_somebody_has_changed_since_stays_and_is_listed(fresh: Fresh) -> None:
    bench = with_inventory(fresh(1), sysctl={"net.core.somaxconn": 1024})
    bench.provisioned()
    file = sysctl.path(bench.lab.name, "net.core.somaxconn")
    bench.run("host1", f"echo 'net.core.netdev_max_backlog = 2000' >> {file}")
    kept = {str(one.key): one.reason for one in taken_back(bench).kept}
    assert kept["host1: sysctl net.core.somaxconn"] == f"somebody has changed {file} since"
    assert "netdev_max_backlog" in bench.run("host1", f"cat {file}")
    assert bench.run("host1", "sysctl -n net.core.somaxconn") == "1024"


def test_one_run_leaves_the_swarm_and_removes_what_it_needed(fresh: Fresh) -> None:
    packages = ["nfs-kernel-server", "nfs-common", "curl"]  # the first needs the second
    bench = fresh(2)
    bench.provisioned()
    for host in ("host1", "host2"):
        record.remember(bench.hosts[host], bench.lab.name, "package", dict.fromkeys(packages))
    found = taken_back(bench, "--packages")
    kept = {str(one.key): one.reason for one in found.kept}
    assert kept["host2: package nfs-common"] == "others use it: the Swarm that the host is in"
    bench.run("host1", "docker network create --driver overlay --attachable theirs")
    kept = {str(one.key): one.reason for one in taken_back(bench, "--swarm").kept}
    assert kept["host1: swarm membership"] == kept["host2: swarm membership"] == "others use the Swarm: network theirs"
    bench.run("host1", "docker network rm theirs")
    found = taken_back(bench, "--packages", "--swarm")
    for host in ("host1", "host2"):
        assert bench.run(host, "docker info --format '{{.Swarm.LocalNodeState}}'") == "inactive"
        status = f"dpkg-query -W -f '${{Package}} ${{db:Status-Status}}\\n' {' '.join(packages)} 2> /dev/null"
        assert bench.run(host, f"{status} | grep ' installed' || echo none") == "none"
    assert deprovision(bench.lab.name, bench.hosts, ("--packages", "--swarm")).changes == []


def test_packages_go_when_that_is_allowed_and_one_that_others_use_stays(fresh: Fresh) -> None:
    bench = fresh(1, {"host1": ["docker"]})
    bench.provisioned()
    # The machines have all of them from the beginning, so that provision installs none.
    record.remember(bench.hosts["host1"], bench.lab.name, "package", dict.fromkeys(["curl", "tgt", "docker.io"]))
    bench.run("host1", "dpkg --purge tgt; tar -c -T /dev/null | docker import - theirs:1; docker create theirs:1 true")

    found = taken_back(bench)  # somebody has removed one of them: the others stay
    assert {one.key.name for one in found.kept if "unless --packages" in one.reason} == {"curl", "docker.io"}
    assert bench.run("host1", INSTALLED) == "curl docker.io"

    found = taken_back(bench, "--packages")
    reasons = {one.key.name: one.reason for one in found.kept if one.key.kind == "package"}
    assert reasons["docker.io"] == "others use it: 1 container"
    assert "apt-get autoremove" in reasons["curl"]
    assert bench.run("host1", INSTALLED) == "docker.io"
    assert bench.run("host1", "docker ps -aq | wc -l") == "1"


def test_nothing_is_taken_back_while_objects_of_the_lab_are_on_the_hosts(fresh: Fresh) -> None:
    bench = fresh(1)
    bench.provisioned()
    bench.run("host1", f"docker volume create --label org.clusterlab.lab={bench.lab.name} data")
    with pytest.raises(ClusterlabError, match="host1: volume data") as raised:
        deprovision(bench.lab.name, bench.hosts)
    assert "clusterlab clean" in raised.value.remedy
