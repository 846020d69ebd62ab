"""Exports of a real NFS server: made, drift of every option found in what is in force, others' left alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from clusterlab.model.inventory import Inventory
from clusterlab.model.lab import Lab
from clusterlab.plan.graph import carry_out
from clusterlab.plan.provision import provision
from clusterlab.plan.report import Report
from clusterlab.progress import Silent
from clusterlab.remote import Host, Hosts
from clusterlab.resources.base import Change

CLIENT = "10.99.0.0/24"  # nobody's: these exports are looked at, not mounted
OPTIONS = ["rw", "sync", "no_subtree_check", "no_root_squash"]
FILE = "/etc/exports.d/clusterlab-exports-test.exports"


class Server:
    """The lab's gateway as the NFS server of a lab of its own, so that no other test's exports are in the way."""

    def __init__(self, hosts: Hosts) -> None:
        self.hosts = hosts
        self.gw: Host = hosts["gw"]

    def plan(self, *exports: dict[str, object]) -> list[Change]:
        inventory = {
            "lab": "exports-test",
            "machines": "existing",
            "network": {"subnet": "192.168.94.0/24"},
            "hosts": {"gw": {"address": "192.168.94.1", "roles": ["nfs_server"]}},
            "nfs": {"exports": list(exports)},
        }
        return provision(Lab(Inventory.model_validate(inventory)), self.hosts)

    def made(self, *exports: dict[str, object]) -> Report:
        report = carry_out(self.plan(*exports), Silent())
        assert report.ok, [(str(one.error), one.error.detail) for one in report.failed] + report.blocked
        return report

    def run(self, command: str) -> str:
        completed = self.gw.run(command)
        assert completed.ok, completed.output
        return completed.stdout.strip()

    def in_force(self) -> str:
        return self.run("cat /var/lib/nfs/etab")


@pytest.fixture
def server(hosts: Hosts) -> Iterator[Server]:
    server = Server(hosts)
    yield server
    server.run(
        f"rm -f {FILE} /etc/exports.d/other.exports /etc/modules-load.d/clusterlab-exports-test.conf; "
        "rm -rf /var/lib/clusterlab/provision/exports-test; "
        "exportfs -ra; rm -rf /export-test; systemctl start nfs-server"
    )


def export(*options: str, clients: object = CLIENT, path: str = "/export-test") -> dict[str, object]:
    return {"path": path, "clients": clients, "options": list(options or OPTIONS)}


def differences(changes: list[Change]) -> list[tuple[object, object]]:
    return [(item.wanted, item.found) for change in changes for item in change.differences]


def test_a_directory_is_made_and_exported_and_the_second_time_nothing_changes(server: Server) -> None:
    [change] = [one for one in server.plan(export()) if one.key.kind == "exports"]
    assert f"/export-test {CLIENT}(rw,sync,no_subtree_check,no_root_squash)" in change.command
    assert f"exportfs -i -o rw,sync,no_subtree_check,no_root_squash {CLIENT}:/export-test" in change.command
    server.made(export())
    assert f"/export-test\t{CLIENT}(rw,sync," in server.in_force()
    assert "/export-test" in server.run("exportfs -v")
    assert server.plan(export()) == []


ONE = ["rw", "sync", "wdelay", "hide", "nocrossmnt", "secure", "no_root_squash", "no_all_squash", "no_subtree_check"]
ONE += ["secure_locks", "acl", "anonuid=1000", "anongid=1000", "fsid=7", "sec=sys"]
OTHER = ["ro", "async", "no_wdelay", "nohide", "crossmnt", "insecure", "root_squash", "all_squash", "subtree_check"]
OTHER += ["insecure_locks", "no_acl", "anonuid=1001", "anongid=1001", "fsid=8", "sec=krb5"]


@pytest.mark.parametrize(("wanted", "drifted"), [(ONE, OTHER), (OTHER, ONE)], ids=["one", "other"])
def test_every_option_that_drifted_is_found_and_restored(server: Server, wanted: list[str], drifted: list[str]) -> None:
    server.made(export(*wanted))
    assert server.plan(export(*wanted)) == []
    server.run(f"exportfs -i -o {','.join(drifted)} {CLIENT}:/export-test")
    expected = sorted(zip(wanted, drifted, strict=True))
    assert sorted(differences(server.plan(export(*wanted)))) == expected
    server.made(export(*wanted))
    assert server.plan(export(*wanted)) == []


def test_clients_and_exports_that_are_no_longer_wanted_end(server: Server) -> None:
    both = export(clients=[CLIENT, "10.99.1.7"])
    server.made(both, export(path="/export-test/second"))
    assert "10.99.1.7(" in server.in_force()
    assert ("not exported", "exported") in differences(server.plan(export()))
    server.made(export())
    assert "10.99.1.7(" not in server.in_force()
    assert "/export-test/second" not in server.in_force()
    assert server.plan(export()) == []


def test_an_export_that_was_ended_manually_is_restored(server: Server) -> None:
    server.made(export())
    server.run(f"exportfs -u {CLIENT}:/export-test")
    assert ("exported", "not exported") in differences(server.plan(export()))
    server.made(export())
    assert server.plan(export()) == []


def test_a_file_or_a_directory_that_was_removed_is_recreated(server: Server) -> None:
    server.made(export())
    text = server.run(f"cat {FILE}")
    server.run(f"rm {FILE}")
    server.made(export())
    assert server.run(f"cat {FILE}") == text
    server.run("rmdir /export-test")
    assert ("a directory", "absent") in differences(server.plan(export()))
    server.made(export())
    assert server.plan(export()) == []


def test_an_export_of_somebody_else_is_left_alone(server: Server) -> None:
    server.run(
        "mkdir -p /export-test && echo '/export-test 10.1.0.0/16(ro)' > /etc/exports.d/other.exports && exportfs -a"
    )
    before = server.in_force()
    report = carry_out(server.plan(export()), Silent())
    [blocked] = report.blocked
    assert "/export-test is exported by /etc/exports.d/other.exports already" in blocked.blocked
    assert server.in_force() == before
    server.run("rm /etc/exports.d/other.exports")
    [blocked] = [change for change in server.plan(export()) if change.blocked]
    assert "/export-test is exported to 10.1.0.0/16 manually" in blocked.blocked
    assert "`exportfs -u 10.1.0.0/16:/export-test`" in blocked.blocked


def test_exports_that_others_made_manually_stay_in_force(server: Server) -> None:
    server.run("mkdir -p /export-test/theirs && exportfs -o ro 10.1.0.0/16:/export-test/theirs")
    server.made(export())
    assert "/export-test/theirs\t10.1.0.0/16(ro" in server.in_force()


def test_an_export_that_an_administrator_ended_stays_out_of_force(server: Server) -> None:
    server.run(
        "mkdir -p /export-test/ended && echo '/export-test/ended 10.1.0.0/16(ro)' > /etc/exports.d/other.exports && "
        "exportfs -a && exportfs -u 10.1.0.0/16:/export-test/ended"
    )
    server.made(export())
    assert "/export-test/ended" not in server.in_force()


def test_a_server_that_stopped_is_started_before_it_exports(server: Server) -> None:
    server.made(export())
    server.run("systemctl disable --now nfs-server")
    changes = {change.key.kind: change for change in server.plan(export())}
    assert {(d.name, d.found) for d in changes["service"].differences} == {
        ("state", "inactive"),
        ("at boot", "disabled"),
    }
    server.made(export())
    assert server.run("systemctl is-active nfs-server") == "active"
    assert server.plan(export()) == []


def test_a_file_system_that_cannot_be_exported_is_said(server: Server) -> None:
    server.run("mkdir -p /export-test && mount -t overlay none -o lowerdir=/etc:/usr/share /export-test")
    try:
        report = carry_out(server.plan(export()), Silent())
        [failed] = report.failed
        assert "its file system cannot be exported" in failed.error.message
        assert "ext4" in failed.error.remedy
        assert "/export-test" in failed.error.detail
    finally:
        server.run("exportfs -ua; umount /export-test")


def test_an_option_that_does_not_exist_is_said(server: Server) -> None:
    report = carry_out(server.plan(export("rw", "no_such_option")), Silent())
    [failed] = report.failed
    assert "the server does not know one of the options" in failed.error.message
    assert "no_such_option" in failed.error.detail


def test_modules_that_a_boot_would_not_load_are_found(server: Server) -> None:
    server.made(export())
    server.run("rm /etc/modules-load.d/clusterlab-exports-test.conf")
    [change] = server.plan(export())
    assert change.key.kind == "modules"
    server.made(export())
    assert "nfsd" in server.run("cat /etc/modules-load.d/clusterlab-exports-test.conf")
    assert server.plan(export()) == []
