"""What an NFS server exports, as its answers say, and what of it changes: no host is asked here."""

from __future__ import annotations

from dataclasses import replace

import pytest

from clusterlab.model.inventory import Export
from clusterlab.remote import Host, Target
from clusterlab.remote.connection import Connections
from clusterlab.resources import nfs, nfs_exports, nfs_options, record
from clusterlab.resources.observed import Observed


def host(name: str = "host1") -> Host:
    return Host(Target(name, "192.168.98.11"), Connections())


def at(kind: str = "", answer: str = "", name: str = "host1") -> Observed:
    return Observed("demo", host(name), answers={kind: answer})


ETAB = (
    "/shares\t192.168.98.0/24(rw,sync,wdelay,hide,nocrossmnt,secure,no_root_squash,no_all_squash,no_subtree_check,"
    "secure_locks,acl,no_pnfs,anonuid=65534,anongid=65534,sec=sys,rw,secure,no_root_squash,no_all_squash)\n"
)
EXPORT = Export.model_validate(
    {"path": "/shares", "clients": "192.168.98.0/24", "options": ["rw", "no_subtree_check", "no_root_squash"]}
)


def exports_answer(etab: str = ETAB, ours: str = "", **others: str) -> str:
    files = {"/var/lib/nfs/etab": etab, **others, nfs_exports.path("demo"): ours}
    return "/shares\n" + "".join(f"\n@ {name}\n{text}" for name, text in files.items() if text)


def test_the_options_of_a_file_and_of_the_server_mean_the_same() -> None:
    assert nfs_exports.parse(ETAB) == nfs_exports.parse(
        "/shares 192.168.98.0/255.255.255.0(rw,no_subtree_check,no_root_squash)"
    )
    text = nfs_exports.text([EXPORT], "demo")
    assert nfs.changes(at("export", exports_answer(ours=text)), [EXPORT], frozenset()) == []


@pytest.mark.parametrize("option", ["ro", "async", "no_wdelay", "insecure", "root_squash", "fsid=3", "anonuid=7"])
def test_every_option_counts(option: str) -> None:
    active = nfs_options.effective(["rw", "no_subtree_check", "no_root_squash", option])
    assert len(nfs_options.differing(nfs_options.effective(EXPORT.options), active)) == 1


def test_names_with_blanks_and_long_lines_are_read() -> None:
    text = '"/two words" a(ro) \\\n  b(rw)\n/with\\040blank -sync,ro c d(rw) # comment\n# /none x(rw)\n'
    assert set(nfs_exports.parse(text)) == {
        ("/two words", "a"),
        ("/two words", "b"),
        ("/with blank", "c"),
        ("/with blank", "d"),
    }
    spaced = Export.model_validate({"path": "/two words", "clients": "a"})
    assert set(nfs_exports.parse(nfs_exports.text([spaced], "demo"))) == {("/two words", "a")}


def test_an_export_in_another_file_is_somebody_elses() -> None:
    others = {"/etc/exports": "/shares 10.0.0.0/8(ro)\n"}
    [change] = nfs.changes(at("export", exports_answer(etab="", **others)), [EXPORT], frozenset())
    assert "/etc/exports already" in change.blocked


def test_an_export_that_is_wanted_alike_is_ours_only_with_its_file_or_its_record() -> None:
    found = at("export", exports_answer())
    [change] = nfs.changes(found, [EXPORT], frozenset())
    assert "/shares is exported to 192.168.98.0/24 manually" in change.blocked
    recorded = replace(found, answers={**found.answers, record.SECTION: "export@%2Fshares true\n"})
    [change] = nfs.changes(recorded, [EXPORT], frozenset())
    assert (change.blocked, [one.name for one in change.differences]) == ("", [nfs_exports.path("demo")])


def test_the_commands_concern_the_labs_exports_alone() -> None:
    wanted = Export.model_validate({"path": "/two words", "clients": ["fd00::/64", "fd01::7", "*"]})
    stale = "/shares 10.0.0.0/8(ro)\n"
    [change] = nfs.changes(at("export", exports_answer(stale, ours=stale)), [wanted], frozenset())
    assert [line for line in change.command.splitlines() if line.startswith("exportfs")] == [
        "exportfs -u 10.0.0.0/8:/shares",
        "exportfs -i -o rw,sync,no_subtree_check '[fd00::]/64:/two words' '[fd01::7]:/two words' '*:/two words'",
    ]
