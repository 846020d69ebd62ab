"""Kernel parameters on real hosts: set, kept over a boot, and given back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.provision_bench import Bench, brief, with_inventory

pytestmark = pytest.mark.engine
Fresh = Callable[..., Bench]
SOMAXCONN, RANGE, REUSE = "net.core.somaxconn", "net.ipv4.ip_local_port_range", "net/ipv4/tcp_tw_reuse"


def value(bench: Bench, host: str, name: str) -> str:
    return " ".join(bench.run(host, f"sysctl -n {name}").split())


def test_parameters_are_set_for_all_hosts_and_for_one_and_nothing_changes_the_second_time(fresh: Fresh) -> None:
    bench = fresh()
    bench.provisioned()
    hosts = bench.lab.inventory.model_dump()["hosts"]
    hosts["host2"]["sysctl"] = {SOMAXCONN: 777, RANGE: "20000 40000"}
    before = {name: value(bench, "host2", name) for name in (SOMAXCONN, RANGE)}
    wanted = with_inventory(bench, sysctl={SOMAXCONN: 1024, REUSE: 0}, hosts=hosts)
    changes = {str(change.key): change for change in wanted.plan()}
    assert set(changes) == {
        *(f"{host}: sysctl {SOMAXCONN}" for host in ("gw", "host1", "host2")),
        *(f"{host}: sysctl {REUSE}" for host in ("gw", "host1", "host2")),
        f"host2: sysctl {RANGE}",
    }
    shown = changes[f"host2: sysctl {RANGE}"]
    assert next((d.name, d.wanted, d.found) for d in shown.differences) == ("value", "20000 40000", before[RANGE])
    bench.run("host2", shown.command)  # the command that is shown has the same effect
    assert f"host2: sysctl {RANGE}" not in {str(change.key) for change in wanted.plan()}
    wanted.provisioned()
    assert value(bench, "host1", SOMAXCONN) == "1024"
    assert value(bench, "host2", SOMAXCONN) == "777"
    file = bench.run("host2", f"cat /etc/sysctl.d/zz-clusterlab-{bench.lab.name}.{SOMAXCONN}.conf")
    assert file.splitlines()[-1] == f"{SOMAXCONN} = 777"
    assert wanted.plan() == []

    bench.run("host1", f"sysctl -w {SOMAXCONN}=55")
    [drift] = wanted.plan()
    assert (str(drift.key), drift.reason) == (f"host1: sysctl {SOMAXCONN}", "its value is 55")
    wanted.provisioned()

    # A host for which the inventory wants nothing any longer is not asked: deprovision gives it its values back.
    assert brief(bench.plan()) == {f"restore {key}" for key in changes if not key.startswith("gw")}
    bench.provisioned()
    assert value(bench, "host2", SOMAXCONN) == before[SOMAXCONN]
    assert bench.run("host2", "ls /etc/sysctl.d").count("clusterlab") == 0
    assert bench.plan() == []


def test_a_parameter_that_the_kernel_does_not_have_is_blocked_and_the_kernels_own_are_left_out(fresh: Fresh) -> None:
    bench = with_inventory(fresh(), sysctl={"net.nowhere.at_all": 1, "vm.swappiness": 10})
    report = bench.provision()
    assert {str(change.key) for change in report.blocked} == {
        f"{host}: sysctl net.nowhere.at_all" for host in ("gw", "host1", "host2")
    }
    assert "/proc/sys/net/nowhere/at_all does not exist" in report.blocked[0].blocked
    assert not any("vm.swappiness" in str(done.change.key) for done in report.done)
