"""Exports with exportfs(8) of a real host, whether or not its kernel serves them: only the lab's own change."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from clusterlab.model.inventory import Export
from clusterlab.plan.deprovision import deprovision
from clusterlab.plan.graph import carry_out
from clusterlab.progress import Silent
from clusterlab.remote import Host, Hosts
from clusterlab.resources import nfs, nfs_exports, record
from clusterlab.resources.base import Change
from clusterlab.resources.observed import Observed
from tests.support.labs import exporting

pytestmark = pytest.mark.engine
EXPORT = Export.model_validate({"path": "/shares", "clients": ["10.0.0.0/24", "*", "fd00::/64", "fd01::7"]})


@pytest.fixture(scope="module")
def hosts() -> Iterator[Hosts]:
    with exporting("10.75.0.0/24") as hosts:
        yield hosts


@pytest.fixture
def server(hosts: Hosts) -> Host:
    return hosts["gw"]


def plan(server: Host, *exports: Export) -> list[Change]:
    question = nfs_exports.question([str(export.path) for export in exports])
    answers = {nfs.EXPORT.name: server.run(question).stdout}
    answers[record.SECTION] = server.run(record.question("demo")).stdout
    return nfs.changes(Observed("demo", server, answers=answers), exports, frozenset())


def in_force(server: Host) -> list[str]:
    return sorted(server.run("cat /var/lib/nfs/etab", check=True).stdout.splitlines())


def carried_out(server: Host, change: Change) -> None:
    change.carry_out()


def typed(server: Host, change: Change) -> None:
    server.run(change.command, check=True)


@pytest.mark.parametrize("how", [carried_out, typed])
def test_others_exports_stay_as_they_are(server: Host, how: Callable[[Host, Change], None]) -> None:
    """One that an administrator ended stays out of force, one that somebody made manually stays in force."""
    server.run(
        "mkdir -p /ended /kept && echo '/ended 10.1.0.0/16(ro)' >/etc/exports && exportfs -a && "
        "exportfs -u 10.1.0.0/16:/ended && exportfs -o ro 10.2.0.0/16:/kept",
        check=True,
    )
    others = in_force(server)
    assert [line.split()[0] for line in others] == ["/kept"]
    [change] = plan(server, EXPORT)
    how(server, change)
    assert [line for line in in_force(server) if line not in others] == [
        line for line in in_force(server) if line.startswith("/shares\t")
    ]
    assert set(others) < set(in_force(server))
    assert plan(server, EXPORT) == []
    server.run("exportfs -i -o ro,async 10.0.0.0/24:/shares", check=True)
    [change] = plan(server, EXPORT)
    how(server, change)
    assert plan(server, EXPORT) == []
    [change] = plan(server)
    how(server, change)
    assert in_force(server) == others


def test_an_export_that_was_in_force_before_is_neither_changed_nor_ended(hosts: Hosts, server: Host) -> None:
    """It is in no file, as those of Pacemaker, and the inventory wants the same directory for the same client."""
    server.run("mkdir -p /theirs && exportfs -i -o ro,fsid=7 10.0.0.0/24:/theirs", check=True)
    before = in_force(server)
    wanted = Export.model_validate({"path": "/theirs", "clients": "10.0.0.0/24"})
    report = carry_out(plan(server, wanted), Silent())
    [blocked] = report.blocked
    assert "/theirs is exported to 10.0.0.0/24 manually" in blocked.blocked
    assert (report.done, in_force(server)) == ([], before)
    assert carry_out(deprovision("demo", hosts).changes, Silent()).ok
    assert in_force(server) == before
