"""A file that is no longer what provision wrote stays, whatever kind of resource it belongs to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clusterlab.errors import HostError
from clusterlab.model.inventory import Export
from clusterlab.resources import (
    iscsi_initiator,
    kernel_modules,
    nfs,
    nfs_exports,
    record,
    registry_server,
    sysctl,
    written,
)
from clusterlab.resources.base import Key
from clusterlab.resources.iscsi_target import LUN_KIND
from clusterlab.resources.kinds import RESOURCES
from clusterlab.resources.observed import Observed
from clusterlab.resources.scope import Scope
from clusterlab.resources.units import NFS_SERVER, UNIT, Unit
from tests.support.rooted import Rooted

NAME = "gw:5000"


def trusted(host: Rooted) -> None:
    (host.root / "etc/docker/certs.d").mkdir(parents=True)
    server = Rooted(host.root / "gw")
    folder = server.root / "etc/docker/registry/clusterlab"
    folder.mkdir(parents=True)
    (folder / "ca.crt").write_text("THE AUTHORITY\n")
    registry_server._trust(host.observed(), server, NAME)


def exported(host: Rooted) -> None:
    directory = host.root / "srv"
    (host.root / "var/lib/nfs").mkdir(parents=True)
    (host.root / "var/lib/nfs/etab").write_text(f"{directory} *(rw,sync,no_subtree_check)\n")
    nfs._export(host, [Export.model_validate({"path": str(directory), "clients": "*"})], "demo", [])


def parameter(host: Rooted) -> None:
    (host.root / "proc/sys/vm/swappiness").write_text("60\n")
    sysctl._set(host.observed(), "vm.swappiness", "10", "60")


def modules(host: Rooted) -> None:
    (host.root / "etc/modules-load.d").mkdir()
    kernel_modules._load(host, [], ["overlay"], "demo", "6.1")


def named(host: Rooted) -> None:
    host.program("systemctl", "true")
    iscsi_initiator._name(host, "demo", "iqn.x", "")


WRITERS: dict[str, tuple[Any, str, Callable[[Rooted], None]]] = {
    "registry trust": (registry_server.REGISTRY_TRUST, NAME, trusted),
    "export": (nfs.EXPORT, "/srv", exported),
    "sysctl": (sysctl.SYSCTL, "vm.swappiness", parameter),
    "module": (kernel_modules.MODULE, "overlay", modules),
    "initiator": (iscsi_initiator.INITIATOR, "name", named),
}


@pytest.fixture
def host(tmp_path: Path) -> Rooted:
    return Rooted(tmp_path / "root")


def observed(host: Rooted) -> Observed:
    """With the digests of now."""
    at = host.observed()
    printed = {name: host.run(script).stdout for name, script in written.questions(at).items()}
    root = str(host.root)
    return replace(at, answers={**at.answers, **{name: text.replace(root, "") for name, text in printed.items()}})


@pytest.mark.parametrize("name", WRITERS)
def test_a_file_that_somebody_has_changed_since_stays(host: Rooted, name: str) -> None:
    kind, key, write = WRITERS[name]
    write(host)
    [path] = kind.files("demo", Key("host1", kind.name, key))
    assert written.kept(observed(host), [path]) == ""
    file = host.root / path.lstrip("/")
    text = file.read_text()
    file.write_text(f"{text}# mine\n")
    assert written.kept(observed(host), [path]) == f"somebody has changed {path} since"
    file.write_text(text)
    assert written.kept(observed(host), [path]) == ""
    file.unlink()
    assert written.kept(observed(host), [path]) == ""


def test_every_kind_that_writes_files_is_among_them() -> None:
    lab_has = {kind.name for kind in RESOURCES.values() if kind.files("demo", Key("host1", kind.name, "x"))}
    assert lab_has == WRITERS.keys() | {"lun", "registry"}  # those two need the daemon: tests/engine and tests/lab


def test_an_authority_of_which_nothing_is_recorded_stays(host: Rooted) -> None:
    record.remember(host, "demo", "registry trust", {NAME: ""})
    scope = Scope("demo", {"host1": observed(host)})
    key = Key("host1", "registry trust", NAME)
    why = registry_server.REGISTRY_TRUST.kept(scope, key, "SOME AUTHORITY\n")
    assert why == f"clusterlab has no record of what it wrote into /etc/docker/certs.d/{NAME}/ca.crt"
    assert registry_server.REGISTRY_TRUST.kept(scope, key, "") == ""


def test_what_one_lab_writes_counts_for_all_that_have_recorded_it(host: Rooted) -> None:
    written.write(host, "blog", "/etc/one", b"1")
    record.remember(host, "demo", written.KIND, {"/etc/one": None}, shared=True)
    written.write(host, "blog", "/etc/one", b"2")
    written.write(host, "blog", "/etc/two", b"2")
    assert written.kept(observed(host), ["/etc/one", "/etc/two"]) == ""
    assert written.known(observed(host), "/etc/one")
    assert not written.known(observed(host), "/etc/two")


def test_where_something_that_is_served_stays_its_packages_do() -> None:
    """Deprovision leaves what underlies kinds that run."""
    assert nfs.EXPORT.runs
    assert LUN_KIND.runs
    assert registry_server.REGISTRY.runs


def test_a_digest_that_cannot_be_read_is_no_reason_to_take_the_file_for_changed(host: Rooted) -> None:
    written.write(host, "demo", "/etc/one", b"1")
    entry = host.root / record.path("demo", written.KIND, "/etc/one").lstrip("/")
    entry.write_text("{")
    with pytest.raises(HostError, match="what provision wrote into /etc/one is recorded in") as raised:
        written.kept(host.observed(), ["/etc/one"])
    assert "takes that file for unchanged: save what you have added" in raised.value.remedy


def test_a_unit_stays_with_what_the_lab_serves(host: Rooted) -> None:
    """An export that somebody has changed stays, and needs the server."""
    own = nfs_exports.path("demo")
    answer = f"\n@ {own}\n/srv *(rw)\n\n@ /var/lib/nfs/etab\n/srv\t*(rw)\n"
    at = host.observed({nfs.EXPORT.name: answer, LUN_KIND.name: ""})
    key, unit = Key("host1", UNIT.name, NFS_SERVER), Unit("active", "enabled", ("inactive", "disabled"))
    assert UNIT.kept(Scope("demo", {"host1": at}), key, unit) == "what the lab serves with it stays: /srv"
    removal = nfs.EXPORT.remove(Scope("demo", {"host1": at}), Key("host1", nfs.EXPORT.name, "/srv"), {}, "why")
    assert removal is not None
    assert UNIT.kept(Scope("demo", {"host1": at}, pending={removal.key: removal}), key, unit) == ""
