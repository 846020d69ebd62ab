"""Packages, services, modules and the engine on real hosts, and what bad luck with them gets."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from clusterlab.capabilities import ALL_CAPABILITIES
from clusterlab.plan.graph import carry_out
from clusterlab.resources import apt
from tests.support.provision_bench import Bench, brief

pytestmark = pytest.mark.engine
Fresh = Callable[..., Bench]


def test_an_engine_that_stopped_is_started_and_stays_the_same_node(fresh: Fresh) -> None:
    bench = fresh()
    bench.provisioned()
    node = bench.node_id("host2")
    bench.run("host2", "systemctl stop docker")
    assert brief(bench.plan()) == {"start host2: engine docker", "verify host2: swarm membership"}
    bench.provisioned()
    assert bench.node_id("host2") == node
    assert bench.plan() == []


def test_the_managers_engine_is_started_before_the_swarm_is_judged(fresh: Fresh) -> None:
    bench = fresh()
    bench.provisioned()
    node = bench.node_id("host1")
    bench.run("host1", "systemctl stop docker")
    assert "init host1: swarm membership" not in brief(bench.plan())
    bench.provisioned()
    assert bench.node_id("host1") == node
    assert bench.plan() == []


def test_an_engine_that_no_boot_would_start_is_enabled(fresh: Fresh) -> None:
    bench = fresh()
    bench.provisioned()
    bench.run("host1", "systemctl disable docker")
    [change] = bench.plan()
    assert (change.action, str(change.key)) == ("enable", "host1: engine docker")
    assert [(d.name, d.wanted, d.found) for d in change.differences] == [("at boot", "enabled", "disabled")]
    bench.provisioned()
    assert bench.plan() == []


def test_an_engine_that_cannot_start_is_shown_with_its_journal(fresh: Fresh) -> None:
    bench = fresh()
    bench.run("host2", "systemctl stop docker; mkdir -p /etc/docker; echo '{broken' > /etc/docker/daemon.json")
    report = bench.provision()
    [failed] = report.failed
    assert str(failed.change.key) == "host2: engine docker"
    assert "daemon.json" in failed.error.detail
    assert "journalctl -u docker" in failed.error.remedy
    assert [str(one.change.key) for one in report.skipped] == ["host2: swarm membership"]
    assert [str(one.change.key) for one in report.done] == ["host1: swarm membership"]
    bench.run("host2", "rm /etc/docker/daemon.json")
    bench.provisioned()
    assert bench.plan() == []


def test_a_module_that_the_kernel_lacks_is_named_and_the_rest_goes_on(fresh: Fresh) -> None:
    bench = fresh()
    changes = bench.plan(unsupported=ALL_CAPABILITIES)
    assert "load host1: modules ip_vs" in brief(changes)
    report = carry_out(changes, bench.heard)
    assert {str(one.change.key) for one in report.failed} == {"host1: modules ip_vs", "host2: modules ip_vs"}
    assert "has no module ip_vs" in report.failed[0].error.message
    assert report.failed[0].error.detail
    assert len(report.done) == 2


def test_a_missing_package_waits_for_the_lock_says_so_and_then_says_that_there_is_no_network(fresh: Fresh) -> None:
    bench = fresh()
    bench.provisioned()
    bench.run("host2", "dpkg --purge --force-depends curl")
    changes = bench.plan()
    assert brief(changes) == {"install host2: packages curl"}
    assert changes[0].command == "apt-get update && apt-get install --no-install-recommends curl"
    lock = "use Fcntl; open(my $f, '>', '/var/lib/dpkg/lock-frontend') or die; my $l = pack('s s x4 l l l l l', F_WRLCK, 0, 0, 0, 0, 0, 0); fcntl($f, F_SETLK, $l) or die; sleep 300"  # noqa: E501
    pid = bench.run("host2", f'setsid perl -e "{lock.replace("$", chr(92) + "$")}" > /dev/null 2>&1 & echo $!')
    said = threading.Event()
    say = bench.heard.say

    def release(subject: str, text: str) -> None:
        say(subject, text)
        bench.run("host2", f"kill {pid}")
        said.set()

    bench.heard.say = release  # type: ignore[method-assign]
    report = carry_out(changes, bench.heard)
    assert said.is_set()
    assert "host2: waiting for the package manager: locked by perl -e" in bench.heard.lines[0]
    assert f"(process {pid})" in bench.heard.lines[0]
    [failed] = report.failed
    assert "apt cannot reach its package source" in failed.error.message
    assert "mirror" in failed.error.remedy


def test_no_package_of_the_host_is_removed_for_one_that_is_installed(fresh: Fresh) -> None:
    """As docker.io would take the place of the engine that somebody installed."""
    bench = fresh(1)
    control = (
        "Package: rival",
        "Version: 1",
        "Architecture: all",
        "Maintainer: a",
        "Description: b",
        "Conflicts: curl",
    )
    bench.run("host1", "mkdir -p /root/rival/DEBIAN")
    bench.hosts["host1"].write("/root/rival/DEBIAN/control", "\n".join((*control, "")).encode())
    bench.run("host1", "dpkg-deb --build /root/rival")
    error = apt.install(bench.hosts["host1"], ["/root/rival.deb"])
    assert error is not None
    assert "another package of the host would have to be removed" in error.message
    assert (
        bench.run("host1", "command -v curl; dpkg-query -W -f '${db:Status-Status}' curl") == "/usr/bin/curl\ninstalled"
    )


def test_a_system_without_apt_is_told_what_to_install(fresh: Fresh) -> None:
    bench = fresh()
    bench.provisioned()
    bench.run("host1", "mv /usr/bin/apt-get /root && rm /usr/bin/curl")
    bench.run(
        "host1", "rm /etc/os-release && printf 'ID=fedora\\nPRETTY_NAME=\"Fedora Linux 41\"\\n' > /etc/os-release"
    )
    [change] = bench.plan()
    assert str(change.key) == "host1: packages curl"
    assert "host1 runs Fedora Linux 41" in change.blocked
    assert "install what provides curl yourself" in change.blocked
