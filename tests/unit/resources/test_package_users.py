"""Packages stay as long as somebody else uses what they bring. Scripts run here, with a folder for the root."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from clusterlab.resources import package_users, packages, record, registry_server
from clusterlab.resources.base import Change, Key
from clusterlab.resources.observed import Observed
from clusterlab.resources.packages import FLAG, PACKAGE
from clusterlab.resources.scope import Scope
from tests.support.rooted import Rooted

NAMES = ["open-iscsi", "nfs-common", "xfsprogs", "e2fsprogs", "docker-registry", "openssl", "curl"]
USES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "nothing": ({}, {}),
    "a mount": ({"proc/self/mounts": "nas:/srv /home nfs4 rw 0 0\n"}, {"nfs-common": "others use it: /home"}),
    "a mount of another type": ({"proc/self/mounts": "tmpfs /tmp tmpfs rw 0 0\nnfsd /proc/fs/nfsd nfsd rw 0 0\n"}, {}),
    "a line in fstab": (
        {"etc/fstab": "# nas:/srv /a nfs defaults\nnas:/srv /home nfs defaults 0 0\n/dev/sdb1 /data ext4 defaults\n"},
        {
            "nfs-common": "others use it: /home (ROOT/etc/fstab)",
            "e2fsprogs": "others use it: /data (ROOT/etc/fstab)",
        },
    ),
    "a unit": (
        {"etc/systemd/system/srv.mount": "[Mount]\nWhat=/dev/sdb1\nWhere=/srv\nType = xfs\n"},
        {"xfsprogs": "others use it: ROOT/etc/systemd/system/srv.mount"},
    ),
    "a target": (
        {"etc/iscsi/nodes/iqn.2026-01.org.nas:one/10.0.0.9,3260,1/default": "node.startup = automatic\n"},
        {"open-iscsi": "others use it: ROOT/etc/iscsi/nodes/iqn.2026-01.org.nas:one/"},
    ),
    "an automounter": ({"automount": ""}, {"nfs-common": "others use it: ROOT/etc/auto.master"}),
    "a disk": (
        {"lsblk": " sda\nxfs sda1\next4 sdb\n"},
        {"xfsprogs": "others use it: sda1", "e2fsprogs": "others use it: sdb"},
    ),
    "a volume": (
        {
            "var/lib/docker/volumes/files/opts.json": '{"MountType":"nfs","MountOpts":"rw","MountDevice":":/srv"}',
            "var/lib/docker/volumes/plain/opts.json": '{"MountType":"","MountOpts":"","MountDevice":""}',
        },
        {"nfs-common": "others use it: volume files"},
    ),
    "a volume below another root": (
        {
            "etc/docker/daemon.json": '{"data-root": "ROOT/data/docker"}',
            "data/docker/volumes/files/opts.json": '{"MountType":"nfs4","MountOpts":"addr=nas","MountDevice":":/srv"}',
        },
        {"nfs-common": "others use it: volume files"},
    ),
    "a registry of somebody": (
        {"etc/docker/registry/config.yml": "version: 0.1\nstorage: {}\n"},
        {"docker-registry": f"others use it: a registry that clusterlab did not configure ({registry_server.CONFIG})"},
    ),
    "the registry of the lab": ({"etc/docker/registry/config.yml": registry_server._TEXT}, {}),
    "a package that needs one": (
        {"apt-get": 'case $4 in openssl) echo "Remv ca-certificates [1]"; echo "Remv openssl [3]";; esac'},
        {"openssl": "ca-certificates needs it"},
    ),
    "a package of the lab that needs one": (
        {"apt-get": 'case $4 in openssl) echo "Remv curl [1]"; echo "Remv openssl [3]";; esac'},
        {},
    ),
    "a package that stays and needs one": (
        {
            "apt-get": 'case $4 in openssl) echo "Remv xfsprogs [1]"; echo "Remv openssl [3]";; esac',
            "lsblk": "xfs sda1\n",
        },
        {"xfsprogs": "others use it: sda1", "openssl": "xfsprogs needs it"},
    ),
}


@pytest.fixture
def host(tmp_path: Path) -> Rooted:
    host = Rooted(tmp_path / "root")
    for name in ("apt-get", "lsblk"):  # those of this computer would show what it has
        host.program(name, "exit 1")
    return host


def observed(host: Rooted) -> Observed:
    """What a host answers whose record has all of `NAMES`, which are installed."""
    record.remember(host, "demo", PACKAGE.name, dict.fromkeys(NAMES))
    sections = PACKAGE.questions(host.observed(), None)
    answers = {name: host.run(script).stdout for name, script in sections.items()}
    return host.observed({**answers, PACKAGE.name: "".join(f"{name} installed 1.0\n" for name in NAMES)})


@pytest.mark.parametrize("use", USES)
def test_a_package_that_others_use_stays(host: Rooted, use: str) -> None:
    host.program("systemctl", "case $1 in is-active) echo active;; *) echo enabled;; esac")
    files, expected = USES[use]
    for name, text in files.items():
        if name == "apt-get":
            host.program(name, text)
        elif name in ("lsblk", "automount"):
            host.program(name, f"printf '{text}'".replace("\n", "\\n"))
        else:
            file = host.root / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text.replace("ROOT", str(host.root)))
    if "etc/docker/registry/config.yml" not in files:
        host.program("systemctl", "echo inactive")
    at = observed(host)
    scope = Scope("demo", {at.name: at}, allowed=frozenset({FLAG}))
    kept = {key.name: PACKAGE.kept(scope, key, found) for key, found in PACKAGE.observe(scope).items()}
    shown = {name: why.replace(str(host.root), "ROOT") for name, why in kept.items() if why}
    assert shown == expected
    curl = Key(at.name, PACKAGE.name, "curl")
    removal = PACKAGE.remove(scope, curl, PACKAGE.observe(scope)[curl], "why")
    assert removal is not None
    assert set(removal.key.name.split()) == set(NAMES) - set(expected)


def test_a_host_in_a_swarm_keeps_what_any_service_there_may_need(host: Rooted) -> None:
    for state, used in (("active", ["the Swarm that the host is in"]), ("inactive", [])):
        at = replace(observed(host), listings={"info": {"Swarm": {"LocalNodeState": state}}})
        scope = Scope("demo", {at.name: at})
        assert [package_users.users(scope, at, name) for name in ("docker.io", "nfs-common")] == [used, used]


def test_a_host_that_leaves_its_swarm_first_keeps_nothing_for_it(host: Rooted) -> None:
    at = replace(observed(host), listings={"info": {"Swarm": {"LocalNodeState": "active"}}})
    leave = Change(Key(at.name, "swarm", "membership"), "leave", "why", "docker swarm leave", lambda: None)
    scope = Scope("demo", {at.name: at}, pending={leave.key: leave})
    assert [package_users.users(scope, at, name) for name in ("docker.io", "nfs-common")] == [[], []]
    elsewhere = Change(Key("host2", "swarm", "membership"), "leave", "why", "docker swarm leave", lambda: None)
    scope = Scope("demo", {at.name: at}, pending={elsewhere.key: elsewhere})
    assert package_users.users(scope, at, "docker.io") == ["the Swarm that the host is in"]


def test_it_is_known_of_every_package_who_uses_it() -> None:
    assert set(packages._PROVIDES) == package_users.KNOWN


def test_a_package_of_which_that_is_unknown_stays(host: Rooted) -> None:
    record.remember(host, "demo", PACKAGE.name, {"docker-ce": None})
    at = host.observed({PACKAGE.name: "docker-ce installed 1.0\n"})
    scope = Scope("demo", {at.name: at}, allowed=frozenset({FLAG}))
    [(key, found)] = PACKAGE.observe(scope).items()
    assert PACKAGE.kept(scope, key, found) == "clusterlab does not know who uses it"
