"""Faults of exports with exportfs(8) of a real host, whether or not its kernel serves them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import pytest

from clusterlab.faults.dead_man import folder
from clusterlab.faults.kind import HostParameters
from clusterlab.faults.nfs import EXPORT_RO, STOP_NFS, UNEXPORT, ExportParameters, Unexport
from clusterlab.faults.scene import Scene
from clusterlab.model import Lab
from clusterlab.model.inventory import Inventory
from clusterlab.remote import Host, Hosts
from clusterlab.resources import nfs_exports
from tests.support.labs import exporting, namespaces_lab

pytestmark = pytest.mark.engine
SHARES = ExportParameters.model_validate({"host": "gw", "path": "/shares"})


@pytest.fixture(scope="module")
def hosts() -> Iterator[Hosts]:
    with exporting("10.76.0.0/24") as hosts:
        yield hosts


@pytest.fixture
def server(hosts: Hosts) -> Host:
    return hosts["gw"]


def in_force(server: Host) -> dict[str, str]:
    """The options of each export."""
    lines = server.run("cat /var/lib/nfs/etab", check=True).stdout.splitlines()
    return {name: options for name, _, options in (line.partition("(") for line in lines)}


@pytest.mark.parametrize("kind", [UNEXPORT, EXPORT_RO], ids=lambda kind: kind.name)
def test_just_what_the_fault_changed_is_restored(server: Host, kind: Unexport) -> None:
    """Not what an administrator ended, and what somebody made manually stays, as the export itself may be."""
    server.run(
        f"mkdir -p {folder('FAULT_ID')} /shares /ended /kept; : >/root/a-file; exportfs -ua; "
        "echo '/ended 10.1.0.0/16(ro)' >/etc/exports; exportfs -a && exportfs -u 10.1.0.0/16:/ended && "
        "exportfs -o ro 10.2.0.0/16:/kept && exportfs -o rw,fsid=7,crossmnt '*:/shares' && "
        "exportfs -o rw,async,no_root_squash 10.0.0.0/24:/shares '[fd00::]/64:/shares'",
        check=True,
    )
    before = in_force(server)
    assert sum(name.startswith("/shares\t") for name in before) == 3
    (part,) = kind.parts(SHARES, cast(Scene, None))
    server.run(part.inject, check=True)
    broken = in_force(server)
    assert {name for name in broken.keys() | before if broken.get(name) != before.get(name)} == {
        name for name in before if name.startswith("/shares\t")
    }
    server.run(part.heal, check=True)
    assert in_force(server) == before
    server.run("exportfs -u 10.0.0.0/24:/shares", check=True)
    server.run(part.heal, check=True)
    assert in_force(server).keys() == before.keys() - {"/shares\t10.0.0.0/24"}


UNIT = """systemctl() {
    case $1 in
        stop) exportfs -au ;;
        start) exportfs -r ;;
    esac
}
"""
"""What Debian's nfs-server.service does with exports, for a host whose kernel may have no NFS server."""


def test_a_server_that_was_stopped_exports_what_it_did(server: Host) -> None:
    server.run(
        f"rm -rf {folder('FAULT_ID')}; mkdir -p {folder('FAULT_ID')} /shares /filed '/two words'; exportfs -ua; "
        "echo '/filed 10.1.0.0/16(rw)' >/etc/exports; exportfs -r && exportfs -i -o ro,fsid=8 10.1.0.0/16:/filed && "
        "exportfs -i -o ro,fsid=7 10.0.0.0/24:/shares '[fd00::]/64:/shares' && exportfs -i '*:/two words'",
        check=True,
    )
    before = in_force(server)
    assert len(before) == 4
    (part,) = STOP_NFS.parts(HostParameters.model_validate({"host": "gw"}), cast(Scene, None))
    server.run(UNIT + part.inject, check=True)
    assert in_force(server) == {}
    server.run(UNIT + part.heal, check=True)
    assert in_force(server) == before
    server.run("exportfs -u '*:/two words'", check=True)
    server.run("systemctl() { :; }\n" + part.heal, check=True)  # as for a unit that runs
    assert in_force(server).keys() == before.keys() - {name for name in before if "words" in name}


@pytest.mark.parametrize("kind", [UNEXPORT, EXPORT_RO], ids=lambda kind: kind.name)
def test_a_directory_whose_name_has_blanks(hosts: Hosts, server: Host, kind: Unexport) -> None:
    """The server's table writes them in another form."""
    server.run(
        f"rm -rf {folder('FAULT_ID')}; mkdir -p {folder('FAULT_ID')} '/two (odd) words'; exportfs -ua; "
        "rm -f /etc/exports; exportfs -i -o rw,fsid=7 '*:/two (odd) words'",
        check=True,
    )
    scene = Scene(namespaces_lab("exports", "10.76.0.0/24", docker_hosts=0), hosts)
    words = ExportParameters.model_validate({"host": "gw", "path": "/two (odd) words"})
    (part,) = kind.parts(words, scene)
    assert kind.gone(words, scene, {}).holds
    assert not kind.effect(words, scene, {}).holds
    server.run(part.inject, check=True)
    assert not kind.gone(words, scene, {}).holds
    assert kind.effect(words, scene, {}).holds
    server.run(part.heal, check=True)
    assert kind.gone(words, scene, {}).holds


@pytest.mark.parametrize("machines", ["existing", "namespaces"])
@pytest.mark.parametrize("kind", [UNEXPORT, EXPORT_RO], ids=lambda kind: kind.name)
def test_exports_of_others_are_left_alone(hosts: Hosts, server: Host, kind: Unexport, machines: str) -> None:
    """Also where the inventory names them, and on machines of the lab's own."""
    inventory = {
        "lab": "demo",
        "machines": machines,
        "network": {"subnet": "10.76.0.0/24"},
        "hosts": {"gw": {"address": "10.76.0.1", "roles": ["nfs_server"]}},
        "nfs": {"exports": [{"path": "/shares", "clients": "10.0.0.0/24"}]},
        "allow_faults": True,
    }
    scene = Scene(Lab(Inventory.model_validate(inventory)), hosts)
    ours = nfs_exports.path("demo")
    server.run(
        f"mkdir -p /shares /etc/exports.d; exportfs -ua; rm -f /etc/exports {ours}; "
        "exportfs -i -o ro,fsid=7 10.0.0.0/24:/shares",
        check=True,
    )
    assert kind.theirs(SHARES, scene) == "/shares is exported to 10.0.0.0/24 by others than the lab demo"
    server.run(f"echo '/shares 10.0.0.0/24(ro,fsid=7)' >{ours}", check=True)
    assert kind.theirs(SHARES, scene) == ""
    server.run("exportfs -i 10.9.0.0/16:/shares", check=True)
    assert kind.theirs(SHARES, scene) == "/shares is exported to 10.9.0.0/16 by others than the lab demo"
    server.run(f"exportfs -u 10.9.0.0/16:/shares && cp {ours} /etc/exports", check=True)
    assert kind.theirs(SHARES, scene) == "/shares is exported by others than the lab demo"
