"""The role registry on real hosts: reached over TLS by who trusts its authority, and taken back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from clusterlab.plan.deprovision import deprovision
from clusterlab.plan.graph import carry_out
from tests.support import registry_package
from tests.support.provision_bench import Bench, brief, with_inventory

pytestmark = pytest.mark.engine
Fresh = Callable[..., Bench]
CONFIG, OURS = "/etc/docker/registry/config.yml", "/etc/docker/registry/clusterlab"
ASK = "curl -sS --noproxy '*' -o /dev/null -w '%{http_code}'"


def test_it_serves_with_a_certificate_of_its_authority_and_is_taken_back(fresh: Fresh) -> None:
    bench = fresh(0, roles={"gw": ["registry"]})
    registry_package.install(bench.hosts["gw"], bench.lab.inventory.release)
    assert brief(bench.plan()) == {"configure gw: registry docker-registry"}
    bench.provisioned()
    assert bench.plan() == []
    assert bench.run("gw", f"stat -c %a {OURS}/ca.key {OURS}/server.key") == "600\n600"
    for name in ("gw", "10.74.0.1"):
        assert bench.run("gw", f"{ASK} --cacert {OURS}/ca.crt https://{name}:5000/v2/") == "200"
    refused = bench.hosts["gw"].run(f"{ASK} https://gw:5000/v2/")
    assert "unable to get local issuer certificate" in refused.output

    authority = bench.run("gw", f"cat {OURS}/ca.crt")
    bench.run("gw", f"echo 'version: 0.1' > {CONFIG}")
    (change,) = bench.plan()
    assert [one.name for one in change.differences] == ["configuration"]
    bench.provisioned()
    assert bench.run("gw", f"cat {OURS}/ca.crt") == authority

    found = deprovision(bench.lab.name, bench.hosts, (), bench.heard)
    report = carry_out(found.changes, bench.heard)
    assert report.ok, (report.failed, report.blocked, report.skipped)
    assert bench.run("gw", f"cat {CONFIG}; ls -A /etc/docker/registry") == "version: 0.1\nconfig.yml"
    assert bench.run("gw", "systemctl is-active docker-registry || true") == "inactive"


def test_it_stays_as_long_as_another_lab_uses_it(fresh: Fresh) -> None:
    bench = fresh(1, roles={"gw": ["registry"], "host1": ["docker"]})
    registry_package.install(bench.hosts["gw"], bench.lab.inventory.release)
    bench.provisioned()
    other = with_inventory(bench, lab=f"{bench.lab.name}-other")
    shared = {f"record {host}: record shared" for host in ("gw", "host1")}
    assert shared <= brief(other.plan())
    other.provisioned()
    assert not shared & brief(other.plan())

    trusted = "cat /etc/docker/certs.d/*/ca.crt | sort -u"
    authority = bench.run("host1", trusted)
    found = deprovision(bench.lab.name, bench.hosts, (), bench.heard)
    assert "forget gw: registry docker-registry" in brief(found.changes)
    report = carry_out(found.changes, bench.heard)
    assert report.ok, (report.failed, report.blocked, report.skipped)
    assert bench.run("gw", f"{ASK} --cacert {OURS}/ca.crt https://gw:5000/v2/") == "200"
    assert bench.run("host1", trusted) == authority
    assert not {one.key.kind for one in other.plan()} & {"registry", "registry trust", "record"}

    found = deprovision(other.lab.name, bench.hosts, (), bench.heard)
    report = carry_out(found.changes, bench.heard)
    assert report.ok, (report.failed, report.blocked, report.skipped)
    assert bench.run("gw", f"cat {CONFIG}; ls -A /etc/docker/registry") == "version: 0.1\nconfig.yml"
    assert bench.run("gw", "systemctl is-active docker-registry || true") == "inactive"
    assert bench.run("host1", "ls -A /etc/docker/certs.d") == ""


def test_what_somebody_has_put_in_place_of_its_files_stays_and_is_listed(fresh: Fresh) -> None:
    bench = fresh(1, roles={"gw": ["registry"], "host1": ["docker"]})
    registry_package.install(bench.hosts["gw"], bench.lab.inventory.release)
    bench.provisioned()
    theirs, ours = "/etc/docker/certs.d/gw:5000/ca.crt", "/etc/docker/certs.d/10.74.0.1:5000"
    bench.run("host1", f"echo THEIRS > {theirs}")
    key, certificate = f"{OURS}/server.key", bench.run("gw", f"cat {OURS}/server.crt")
    bench.run("gw", f"echo THEIRS > {key}")
    found = deprovision(bench.lab.name, bench.hosts, (), bench.heard)
    kept = {str(one.key): one.reason for one in found.kept}
    assert kept["host1: registry trust gw:5000"] == f"somebody has changed {theirs} since"
    assert kept["gw: registry docker-registry"] == f"somebody has changed {key} since"
    report = carry_out(found.changes, bench.heard)
    assert report.ok, (report.failed, report.blocked, report.skipped)
    assert bench.run("host1", f"cat {theirs}; ls -d {ours} 2>/dev/null || echo gone") == "THEIRS\ngone"
    assert bench.run("gw", f"cat {key} {OURS}/server.crt; systemctl is-active docker-registry") == (
        f"THEIRS\n{certificate}\nactive"
    )
    bench.run("host1", f"rm {theirs}")  # then only the record goes
    carry_out(deprovision(bench.lab.name, bench.hosts, (), bench.heard).changes, bench.heard)
    assert bench.run("host1", "ls -A /etc/docker/certs.d; ls -d /var/lib/clusterlab 2>/dev/null || echo gone") == "gone"


def test_a_registry_of_somebody_else_stays(fresh: Fresh) -> None:
    bench = fresh(0, roles={"gw": ["registry"]})
    registry_package.install(bench.hosts["gw"], bench.lab.inventory.release)
    config = "{version: 0.1, storage: {inmemory: {}}, http: {addr: ':5000'}}"
    bench.run("gw", f'echo "{config}" > {CONFIG}; systemctl enable --now docker-registry')
    (change,) = bench.plan()
    assert "a registry runs on gw that clusterlab did not configure" in change.blocked


def test_what_one_host_pushes_every_node_pulls(fresh: Fresh) -> None:
    """An image of the host's BusyBox, for a service with a task on each node."""
    bench = fresh(2, roles={"gw": ["registry"]})
    registry_package.install(bench.hosts["gw"], bench.lab.inventory.release)
    bench.provisioned()
    image = "gw:5000/tools/shell:1"
    sleeps = """'CMD ["/bin/busybox", "sleep", "1000"]'"""
    bench.run("host1", f"tar -C /usr -c bin/busybox | docker import --change {sleeps} - {image} && docker push {image}")
    bench.run("host1", f"docker rmi {image}")
    bench.run("host1", f"docker service create --quiet --mode global --stop-signal KILL --name each {image}")
    for host in ("host1", "host2"):
        assert bench.run(host, "docker ps --format '{{.Image}}'") == image
