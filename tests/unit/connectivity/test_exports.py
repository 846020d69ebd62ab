"""What the test proves of NFS exports."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from clusterlab.connectivity.names import PLAY, share, shared
from clusterlab.connectivity.own_exports import Directory, own_exports
from clusterlab.connectivity.play import Options, untested
from clusterlab.connectivity.survey import _SHOWN, Export, Seen, exports

from .plays import FOREIGN, ON_EXPORTS, SEEN, THREE, lab, play


def test_exports_of_the_inventory_are_shared_by_all_nodes_and_read_only_ones_are_not_written() -> None:
    exports = [{"path": "/a", "clients": "*"}, {"path": "/b", "clients": "*", "options": ["ro"]}]
    made = play(lab(*THREE, "nfs_server", nfs={"exports": exports}), properties=["shares"])
    assert [volume.driver_opts["device"] for volume in made.volumes.values()] == [":/a"]
    assert made.volumes[share(0)].driver_opts["o"] == "addr=10.0.0.4,rw,nfsvers=4.2"
    assert [check.title for check in made.checks] == ["what one node writes to /a of n4, every other reads"]


@pytest.mark.parametrize("name", ON_EXPORTS)
def test_a_statement_about_an_export_writes_below_a_folder_of_its_own_and_removes_it(name: str) -> None:
    (check,) = play(
        lab(*THREE, "nfs_server", nfs={"exports": [{"path": "/a", "clients": "*"}]}), properties=[name]
    ).checks
    texts = [one.probe.run for one in check.steps if one.kind == "command"]  # type: ignore[union-attr]
    begin, end = texts[0], check.finally_[0].run
    own = end.removeprefix("rm -rf ")
    assert re.fullmatch(r"/shared/clusterlab-test-cluster-[0-9a-f]{8}-[a-z]+", own)
    assert begin == f"rm -rf {own} && mkdir {own} && chmod 755 {own}"
    assert all(path.startswith(own) for text in texts for path in re.findall(r"/shared[^ ;)]*", text))


def test_two_clusters_with_one_export_have_folders_of_their_own() -> None:
    exports = {"exports": [{"path": "/a", "clients": "*"}]}

    def folders(*roles: str) -> set[str]:
        made = play(lab(*roles, nfs=exports), properties=["locks"])
        return {one.finally_[0].run.removeprefix("rm -rf ") for one in made.checks}

    assert folders(*THREE, "nfs_server") == folders(*THREE, "nfs_server")
    assert not folders(*THREE, "nfs_server") & folders(*THREE, "", "nfs_server")


def test_a_private_file_is_refused_to_another_user_where_the_server_tells_users_apart() -> None:
    for options, refused in (["rw"], True), (["rw", "all_squash"], False):
        exports = {"exports": [{"path": "/a", "clients": "*", "options": options}]}
        (check,) = play(lab(*THREE, "nfs_server", nfs=exports), properties=["permissions"]).checks
        assert any(getattr(one.probe, "user", None) for one in check.steps) is refused
        assert ("refused to another user" in check.title) is refused


@pytest.mark.parametrize(
    ("options", "directory", "user", "why"),
    [
        (["no_root_squash"], Directory(0, 0, 0o755), "", ""),
        (["root_squash"], Directory(0, 0, 0o1777), "", ""),
        ([], Directory(1000, 100, 0o750), "1000:100", ""),
        ([], Directory(65534, 65534, 0o700), "", ""),
        (["anonuid=33", "anongid=34"], Directory(0, 34, 0o775), "", ""),
        (["anonuid=33"], Directory(33, 0, 0o577), "", "it belongs to 33:0, with mode 577"),
        ([], Directory(0, 0, 0o755), "", "and the export takes root for user 65534"),
        (["all_squash", "no_root_squash"], Directory(1000, 1000, 0o755), "", "takes every user for user 65534"),
        (["all_squash", "anonuid=0", "anongid=0"], Directory(1000, 1000, 0o755), "", ""),
        (["ro", "no_root_squash"], Directory(0, 0, 0o777), "", "it is exported read-only"),
        (["ro"], Directory(1000, 1000, 0o750), "1000:1000", "it is exported read-only"),
        ([], Directory(1000, 100, 0o555), "", "it belongs to 1000:100, with mode 555"),
        ([], None, "", ""),
    ],
)
def test_who_may_write_to_an_export_does(options: list[str], directory: Directory | None, user: str, why: str) -> None:
    exports = {"exports": [{"path": "/a", "clients": "*", "options": options}]}
    directories = {("n4", "/a"): directory} if directory else {}
    (found,) = own_exports(lab(*THREE, "nfs_server", nfs=exports).inventory, directories)
    assert found.user == user
    assert why in found.only_read
    assert bool(why) is bool(found.only_read)


def test_what_nobody_can_read_is_not_tested_and_a_quick_test_says_what_it_leaves_out() -> None:
    own = lab(*THREE, "nfs_server", nfs={"exports": [{"path": path, "clients": "*"} for path in ("/a", "/b")]})
    directories = {("n4", "/a"): Directory(0, 0, 0o700), ("n4", "/b"): Directory(0, 0, 0o755)}
    why = "and the export takes root for user 65534"
    for quick, of_b in (
        (False, "writing to /b of n4: "),
        (True, "/b of n4: not with --quick, as nobody can write to it: "),
    ):
        assert untested(own, Options(properties=["shares"], quick=quick), Seen(directories=directories)) == [
            "shares: the inventory has no writable NFS export for two nodes",
            f"/a of n4: it belongs to 0:0, with mode 700, {why}",
            f"{of_b}it belongs to 0:0, with mode 755, {why}",
        ]


def test_of_what_a_server_prints_only_its_directories_count() -> None:
    printed = "Welcome to n4\n1000 100 750 /a\n0 0 1777 /b c\n"
    assert _SHOWN.findall(printed) == [("1000", "100", "750", "/a"), ("0", "0", "1777", "/b c")]


def test_what_nobody_can_write_to_is_read_and_what_its_owner_can_write_to_is_written_by_that_user() -> None:
    exports = {"exports": [{"path": "/a", "clients": "*"}, {"path": "/b", "clients": "*"}]}
    own = lab(*THREE, "nfs_server", nfs=exports)
    read = Export("nfs", "addr=10.0.0.4,ro,nfsvers=4.2", ":/a", "", "n4")
    directories = {("n4", "/a"): Directory(0, 0, 0o755), ("n4", "/b"): Directory(1000, 1000, 0o755)}
    seen = Seen(directories=directories, only_read=(read,))
    made = play(own, seen, properties=["shares", "mounts"])
    assert [check.title for check in made.checks] == [
        "what one node writes to /b of n4, every other reads",
        "every node mounts /a of n4 and reads it",
    ]
    users = {name: one.user for name, one in made.containers.items()}
    assert users == {shared(0, name): "1000:1000" for name in ("n1", "n2", "n3")} | {
        shared(1, name): None for name in ("n1", "n2", "n3")
    }
    assert untested(own, Options(properties=["shares", "mounts"]), seen) == [
        "writing to /a of n4: it belongs to 0:0, with mode 755, and the export takes root for user 65534"
    ]


def test_what_others_mount_is_only_read_with_the_same_options_and_what_the_inventory_names_is_not_tested_twice() -> (
    None
):
    own = {"exports": [{"path": "/a", "clients": "*"}]}
    made = play(lab(*THREE, "nfs_server", nfs=own), SEEN, properties=["shares", "mounts"])
    assert [volume.driver_opts for volume in made.volumes.values()] == [
        {"type": "nfs", "o": "addr=10.0.0.4,rw,nfsvers=4.2", "device": ":/a"},
        {"type": "nfs", "o": FOREIGN.o, "device": ":/theirs"},
    ]
    reading = [one for one in made.containers.values() if "shared1" in one.volumes[0]]
    assert len(reading) == 3
    assert all(one.volumes[0].endswith(":ro") for one in reading)
    assert made.checks[-1].title == "every node mounts /theirs of 10.0.0.99, as volume shop_data does, and reads it"


def test_nothing_is_mounted_whose_server_a_node_does_not_reach() -> None:
    """The statement then asks for the server's port, from every node."""
    seen = replace(SEEN, unreached={"n2": frozenset({FOREIGN.address}), "n9": frozenset({"10.0.0.4=2049"})})
    made = play(lab(*THREE), seen, properties=["mounts"])
    assert [one.driver_opts["device"] for one in made.volumes.values()] == [":/a"]
    assert {one.volumes[0].partition(":")[0] for one in made.containers.values()} == set(made.volumes)
    blocked, mounted = made.checks
    assert blocked.needs == ["nfs"]
    assert (blocked.kind, mounted.kind) == ("port", "command")
    assert (blocked.probe.on, blocked.probe.to, blocked.probe.port) == (["n1", "n2", "n3"], "10.0.0.99", 2049)  # type: ignore[union-attr]
    assert len(play(lab(*THREE), seen, nodes=["n1", "n3"], properties=["mounts"]).volumes) == 2


@pytest.mark.parametrize(
    ("options", "address"),
    [
        ("addr=nas,rw", "nas=2049"),
        ("addr=10.0.0.9,port=20490,proto=tcp", "10.0.0.9=20490"),
        ("addr=10.0.0.9,mountport=635,soft", "10.0.0.9=2049"),
        ("addr=10.0.0.9,proto=udp", ""),
        ("addr=10.0.0.9,rdma,port=20049", ""),
    ],
)
def test_the_server_of_an_export_is_asked_for_where_it_is_mounted(options: str, address: str) -> None:
    assert Export("nfs", options, ":/a", "data").address == address


def test_the_quick_test_appends_nothing_under_a_lock() -> None:
    exports = {"exports": [{"path": "/a", "clients": "*"}]}
    for quick in True, False:
        (check,) = play(lab(*THREE, "nfs_server", nfs=exports), quick=quick, properties=["shares"]).checks
        (shared_file,) = [one.probe for one in check.steps if one.kind == "shared_file"]
        assert (shared_file.appends == 0) is quick  # type: ignore[union-attr]


def volume(name: str, options: dict[str, str] | None = None, driver: str = "local", play: str = "") -> dict[str, Any]:
    labels = {"org.clusterlab.play": play} if play else None
    return {"Name": name, "Driver": driver, "Labels": labels, "Options": options}


def test_exports_are_those_of_others_volumes_each_once() -> None:
    nfs = {"type": "nfs", "o": "addr=10.0.0.9,rw", "device": ":/srv"}
    found = exports(
        [
            volume("plain"),
            volume("memory", {"type": "tmpfs", "device": "tmpfs"}),
            volume("data", nfs),
            volume("same", nfs),
            volume("other", {**nfs, "device": ":/other"}),
            volume("plugin", {**nfs, "device": ":/plugin"}, "plugin"),
            volume("ours", {**nfs, "device": ":/ours"}, play=PLAY),
        ]
    )
    assert [(one.of, one.server, one.path) for one in found] == [
        ("data", "10.0.0.9", "/srv"),
        ("other", "10.0.0.9", "/other"),
    ]
