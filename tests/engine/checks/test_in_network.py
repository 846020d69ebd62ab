"""Network probes in containers of an image that has nothing but one program, and what they leave behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
import yaml

from clusterlab.checks import run_checks
from clusterlab.checks.place import NoAnswer, Place
from clusterlab.checks.places import Places
from clusterlab.model import Lab
from clusterlab.progress import Silent
from clusterlab.remote import Host, Hosts
from tests.support.check_cases import Rig, compare, load_case

pytestmark = pytest.mark.engine

_IMPORT = """
set -e; cd "$(mktemp -d)"; cp /bin/busybox sleep
tar -c sleep | docker import --change 'ENTRYPOINT ["/sleep", "infinity"]' - clusterlab-bare:1; rm -r "$PWD"
docker save --output /tmp/bare.tar clusterlab-bare:1; docker rmi clusterlab-bare:1
"""
CASE = yaml.safe_load("""
play:
  title: no shell
  networks: {yard: {}, alley: {}}
  containers:
    bare: {host: host1, image: bare, networks: [yard], extra_hosts: {elsewhere: 127.0.0.1}}
    apart: {host: host1, image: bare, networks: [alley]}
    server: {host: host1, image: web, networks: [yard]}
  checks:
    - {title: ping, ping: {in: bare, to: server, count: 1}}
    - {title: port, port: {in: bare, to: server, port: 80}, within: 10s}
    - {title: page, http: {in: bare, url: "http://server/", body: {contains: nginx}}, within: 10s}
    - {title: name, dns: {in: bare, name: server, is: {container: server, network: yard}}}
    - {title: packet, ping: {in: bare, to: server, count: 1, size: 1472}}
    - {title: its own hosts file, ping: {in: bare, to: elsewhere, count: 1}}
    - title: no name in another network
      dns: {in: apart, name: server, resolves: false, control: {in: bare}}
    - title: no way from another network
      ping: {in: apart, to: {container: server, network: yard}, reachable: false, timeout: 1s, control: {in: bare}}
    - {title: its hosts file alone, ping: {in: apart, to: elsewhere, count: 1}}
    - {title: nothing listens, port: {in: bare, to: server, port: 81}}
    - {title: no such page, http: {in: bare, url: "http://server/nosuch"}}
    - {title: not its address, dns: {in: bare, name: server, addresses: 1.2.3.4}}
    - {title: a name of the host, dns: {in: bare, name: clusterlab-only-here}}
    - {title: a command needs a shell, command: {in: bare, run: "true || false", stdout: {contains: x}}}
expect:
  - {check: its hosts file alone, outcome: fail, found: [name not resolved]}
  - {check: nothing listens, outcome: fail, found: [refused]}
  - {check: no such page, outcome: fail, found: [status 404]}
  - {check: not its address, outcome: fail, found: [is not]}
  - {check: a name of the host, outcome: fail, found: [name not resolved]}
  - {check: a command needs a shell, outcome: error, found: [a command is missing at bare on host1]}
""")


@pytest.fixture(scope="module")
def bare(rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The play stands; the names of host1 come from its hosts file alone, in which stands one that is nobody else's."""
    folder = tmp_path_factory.mktemp("plays")
    inventory = folder / "inventory.yml"
    inventory.write_text(rig.inventory.read_text() + "  bare: {archive: bare.tar}\n")
    host = rig.hosts["host1"]
    host.run(_IMPORT, check=True)
    (folder / "bare.tar").write_bytes(host.read("/tmp/bare.tar"))
    lab = load_case(CASE, inventory, folder)
    with rig.made(lab), other_names(host):
        yield lab


@contextmanager
def other_names(host: Host) -> Iterator[None]:
    """A host where programs do not ask name servers as those of a container do."""
    switch, names = host.read("/etc/nsswitch.conf"), host.read("/etc/hosts")
    host.write("/etc/nsswitch.conf", b"hosts: files\n")
    host.write("/etc/hosts", names + b"127.0.0.1 clusterlab-only-here\n")
    try:
        yield
    finally:
        host.write("/etc/nsswitch.conf", switch)
        host.write("/etc/hosts", names)


@pytest.fixture
def places(rig: Rig, bare: Lab) -> Places:
    (play,) = bare.plays.values()
    return Places(bare, play, rig.hosts)


def test_an_image_without_a_shell_both_ways(rig: Rig, bare: Lab) -> None:
    host = rig.hosts["host1"]
    before = {path: host.read(path) for path in ("/proc/mounts", "/etc/hosts", "/etc/resolv.conf")}
    results = run_checks(bare, rig.hosts, rig.unsupported, lambda result: None, Silent())
    compare(CASE, results)
    assert {path: host.read(path) for path in before} == before


def test_no_exec_and_one_command_for_each_probe(rig: Rig, places: Places) -> None:
    host = rig.hosts["host1"]
    places.network_tool(Place("host1", "bare"), "getent")
    before = host.counts.copy()
    found = places.in_network(Place("host1", "bare"), ["getent", "hosts", "server"], names=True)
    assert found.ok
    assert host.counts - before == {"commands": 1, "requests": 1}


def test_what_hangs_is_ended(rig: Rig, places: Places) -> None:
    with pytest.raises(NoAnswer, match="did not end within 1 s"):
        places.in_network(Place("host1", "bare"), ["sleep", "7653"], names=True, timeout=1)
    assert rig.hosts["host1"].run("pgrep -f '^sleep 7653'").exit == 1


def test_the_command_that_is_shown_does_the_same(rig: Rig, places: Places) -> None:
    for names in (True, False):
        done = places.in_network(Place("host1", "bare"), ["ip", "-o", "-4", "address"], names=names)
        assert rig.hosts["host1"].run(done.command, check=True).stdout == done.stdout
    looked_up = places.in_network(Place("host1", "bare"), ["busybox", "nslookup", "server"], names=True)
    again = rig.hosts["host1"].run(looked_up.command, check=True)
    assert "Address: " in again.stdout
    assert set(again.stdout.splitlines()) == set(looked_up.stdout.splitlines())  # two answers, in any order


USER = "clusterlab-net"


def test_who_is_not_root_is_told_so_and_sudo_helps(rig: Rig, bare: Lab) -> None:
    host = rig.hosts["host1"]
    host.run(f"useradd -m -G docker {USER}; cp -r /root/.ssh ~{USER}/; chown -R {USER}: ~{USER}/.ssh", check=True)
    host.write(f"/etc/sudoers.d/{USER}", f"{USER} ALL=(ALL) NOPASSWD: ALL\n".encode(), mode=0o440)
    user = replace(host.target, user=USER)
    (play,) = bare.plays.values()
    asked = Place("host1", "bare"), ["getent", "hosts", "server"]
    try:
        with Hosts({"host1": user}) as hosts, pytest.raises(NoAnswer, match="could not be entered") as raised:
            Places(bare, play, hosts).in_network(*asked, names=True)
        assert "become: true" in raised.value.remedy
        with Hosts({"host1": replace(user, become=True)}) as hosts:
            assert Places(bare, play, hosts).in_network(*asked, names=True).ok
    finally:
        host.run(f"rm -f /etc/sudoers.d/{USER}; userdel -rf {USER}")
