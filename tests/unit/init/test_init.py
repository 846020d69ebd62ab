"""`clusterlab init` without a cluster: defaults, and Ansible inventories; what it writes is valid."""

from __future__ import annotations

from pathlib import Path

import pytest

from clusterlab.cli.main import main
from clusterlab.errors import UsageError
from clusterlab.init import ansible, reported, text
from clusterlab.init.as_lab import release
from clusterlab.init.found import Found, FoundHost, FoundNetwork, FoundService, NfsMount, host_name
from clusterlab.model import Lab, load_lab

INI = """\
; the office
[managers]
node[01:02] ansible_host=10.0.0.11 ansible_user=admin   # a range
[workers]
"w1" ansible_host=10.0.0.21
[managers:vars]
ansible_port=2222
[all:vars]
ansible_ssh_private_key_file=~/.ssh/office
[storage]
nas.office ansible_host=10.0.0.5
[swarm:children]
managers
workers
"""
YAML = """\
all:
  vars: {ansible_user: admin}
  children:
    managers:
      vars: {ansible_port: 2222}
      hosts: {node1: {ansible_host: 10.0.0.11}}
    workers:
      hosts: {w1: {ansible_host: 10.0.0.21, ansible_user: root}}
  hosts:
    alone: {ansible_host: 10.0.0.31}
"""
FOUND = Found(
    "office",
    "the cluster of node1",
    (
        FoundHost(
            "node1",
            "10.0.0.11",
            ("docker", "swarm_manager"),
            notes="Docker 26.1.5\nlab: other",
            labels=(("zone", "a"), ("on", "${lab}: #1"), ("rack", "07")),
            engine=(26, 1),
        ),
        FoundHost("node2", "10.0.0.12", ("docker", "swarm_worker"), "drain"),
    ),
    (("user", "admin"),),
    (
        FoundNetwork("shop", "overlay", ("10.0.1.0/24",), attachable=True, options=(("encrypted", ""),)),
        FoundNetwork("office", "overlay", ("172.30.5.0/24",), chosen=True),
        FoundNetwork("wiki_default", "overlay", stack=True),
        FoundNetwork("local", "bridge"),
    ),
    (
        NfsMount("data", "10.0.0.5", "/shares", "nfs4", "rw,nfsvers=4.2"),
        NfsMount("logs", "10.0.0.5", "/logs"),
        NfsMount("old", "nas.example.org", "/old"),
        NfsMount("wiki_pages", "10.0.0.5", "/shares", stack=True),
    ),
    (FoundService("api", (8080,)), FoundService("job")),
    (("default_addr_pool", ["10.64.0.0/16"]), ("subnet_size", 26), ("cert_expiry", "720h"), ("task_history", 3)),
    (("log-opts", {"max-size": "10m"}),),
)


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["clusterlab", *words])
    return int(ended.value.code or 0)


def written(folder: Path, inventory: str, play: str) -> Lab:
    """The lab of two files; raises InvalidFiles."""
    (folder / "playbooks").mkdir()
    (folder / "lab.yml").write_text(inventory)
    (folder / "playbooks/first.yml").write_text(play)
    return load_lab(folder / "lab.yml", (), folder / "playbooks")


def test_without_anything_it_writes_the_default_lab_and_a_play(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "My Shop"
    folder.mkdir()
    monkeypatch.chdir(folder)
    main(["clusterlab", "init"])
    lab = load_lab(Path("inventory/default.yml"))
    assert lab.name == "my-shop"
    assert lab.inventory.machines == "qemu"
    assert list(lab.plays) == ["first"]
    assert "Review them, then: clusterlab run" in capsys.readouterr().out
    before = (folder / "inventory/default.yml").read_text()
    assert run("init", "--lab", "other") == 2
    assert "already exists; nothing was written" in capsys.readouterr().err
    assert (folder / "inventory/default.yml").read_text() == before


def test_a_dry_run_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    main(["clusterlab", "init", "--dry-run"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "code"), [(["init", "--as-lab"], 2), (["init", "--from", "no.such.host.invalid"], 3)]
)
def test_what_cannot_be_is_an_error(
    words: list[str], code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(*words) == code
    assert list(tmp_path.iterdir()) == []


def test_an_ansible_inventory_in_ini(tmp_path: Path) -> None:
    file = tmp_path / "hosts.ini"
    file.write_text(INI)
    hosts = {host.name: host for host in ansible.read(file, "office").hosts}
    assert list(hosts) == ["node01", "node02", "w1", "nas-office"]
    assert hosts["node01"].roles == ("docker", "swarm_manager")
    assert dict(hosts["node01"].ssh) == {"user": "admin", "port": "2222", "key": "~/.ssh/office"}
    assert hosts["w1"].roles == ("docker", "swarm_worker")
    assert dict(hosts["w1"].ssh) == {"key": "~/.ssh/office"}
    assert (hosts["nas-office"].address, hosts["nas-office"].roles) == ("10.0.0.5", ("nfs_server",))


def test_an_ansible_inventory_in_yaml(tmp_path: Path) -> None:
    file = tmp_path / "hosts.yml"
    file.write_text(YAML)
    hosts = {host.name: host for host in ansible.read(file, "office").hosts}
    assert dict(hosts["node1"].ssh) == {"user": "admin", "port": "2222"}
    assert dict(hosts["w1"].ssh) == {"user": "root"}
    assert hosts["alone"].roles == ("docker",)
    assert written(tmp_path, text.inventory(ansible.read(file, "office"), False), text.play(FOUND_ANSIBLE)).name


FOUND_ANSIBLE = Found("office", "a file", (FoundHost("node1", "10.0.0.11", ("docker",)),))


@pytest.mark.parametrize("content", ["", "[managers]\n", "all: {}\n"])
def test_an_ansible_inventory_without_hosts_is_an_error(content: str, tmp_path: Path) -> None:
    file = tmp_path / ("hosts.yml" if content.startswith("all") else "hosts.ini")
    file.write_text(content)
    with pytest.raises(UsageError, match="there are no hosts in it"):
        ansible.read(file, "office")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"all:\n  hosts: [node1, node2]\n", "hosts.yml: all.hosts is not a mapping"),
        (b"office:\n  children: [managers]\n", "hosts.yml: office.children is not a mapping"),
        (b"all: {vars: yes, hosts: {a: null}}\n", "hosts.yml: all.vars is not a mapping"),
        (b"# caf\xe9\n", "hosts.yml cannot be read: it is not UTF-8 text"),
        (b"all: [\n", "hosts.yml: not valid YAML"),
    ],
)
def test_an_ansible_inventory_of_another_form_is_an_error(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "hosts.yml").write_bytes(content)
    with pytest.raises(UsageError, match=message):
        ansible.read(tmp_path / "hosts.yml", "office")


def test_what_was_found_becomes_valid_files(tmp_path: Path) -> None:
    lab = written(tmp_path, text.inventory(FOUND, as_lab=False), text.play(FOUND))
    assert lab.inventory.machines == "existing"
    assert lab.inventory.ssh.user == "admin"
    assert lab.inventory.hosts["node2"].availability == "drain"
    titles = [check.title for check in lab.plays["first"].checks]
    assert "every Docker host reaches the file server 10.0.0.5" in titles
    assert "the service api answers on port 8080 of node1" in titles


def test_labels_and_settings_of_the_swarm_are_those_that_were_found(tmp_path: Path) -> None:
    lab = written(tmp_path, text.inventory(FOUND, as_lab=False), text.play(FOUND))
    assert lab.inventory.hosts["node1"].labels == {"zone": "a", "on": "${lab}: #1", "rack": "07"}
    swarm = lab.inventory.swarm
    assert ([str(one) for one in swarm.default_addr_pool], swarm.subnet_size) == (["10.64.0.0/16"], 26)
    assert (swarm.cert_expiry, swarm.task_history, swarm.adopt) == (720 * 3600.0, 3, False)
    assert lab.inventory.engine == {}, "other hosts may have another daemon.json"
    assert not lab.plays["first"].networks


def test_as_a_lab_it_has_the_same_hosts_and_file_servers_of_its_own(tmp_path: Path) -> None:
    lab = written(tmp_path, text.inventory(FOUND, as_lab=True), text.play(FOUND, as_lab=True))
    hosts = lab.inventory.hosts
    assert lab.inventory.machines == "qemu"
    assert {name: str(host.address) for name, host in hosts.items()} == {
        "nas": "10.0.0.5",
        "nas-2": "10.0.0.1",
        "node1": "10.0.0.11",
        "node2": "10.0.0.12",
    }
    assert hosts["nas"].roles == hosts["nas-2"].roles == ["nfs_server"]
    assert hosts["node2"].availability == "drain"
    assert hosts["node1"].labels["zone"] == "a"
    assert lab.inventory.swarm.task_history == 3
    assert lab.inventory.engine == {"log-opts": {"max-size": "10m"}}
    assert [str(export.path) for export in lab.inventory.nfs.exports] == ["/logs", "/old", "/shares"]


def test_as_a_lab_its_play_creates_what_no_stack_creates(tmp_path: Path) -> None:
    play = written(tmp_path, text.inventory(FOUND, as_lab=True), text.play(FOUND, as_lab=True)).plays["first"]
    assert list(play.networks) == ["shop", "office"]
    assert (play.networks["shop"].attachable, play.networks["shop"].encrypted) == (True, True)
    assert play.networks["shop"].ipam.config == [], "the Swarm gives it a subnet of its pools"
    assert [one.subnet for one in play.networks["office"].ipam.config] == ["172.30.5.0/24"]
    assert {name: volume.driver_opts for name, volume in play.volumes.items()} == {
        "data": {"type": "nfs4", "o": "addr=10.0.0.5,rw,nfsvers=4.2", "device": ":/shares"},
        "logs": {"type": "nfs", "o": "addr=10.0.0.5,rw", "device": ":/logs"},
        "old": {"type": "nfs", "o": "addr=10.0.0.1,rw", "device": ":/old"},
    }
    titles = [check.title for check in play.checks]
    assert "every Docker host reaches the file server nas-2" in titles
    assert not [title for title in titles if "service" in title], "the lab has no service yet"


def test_hosts_of_several_networks_get_addresses_of_one_and_so_do_their_file_servers(tmp_path: Path) -> None:
    hosts = (FoundHost("a", "10.0.0.11", ("docker",)), FoundHost("b", "10.1.0.11", ("docker",)))
    found = Found(
        "office", "a cluster", hosts, nfs=(NfsMount("data", "10.1.0.11", "/b"), NfsMount("pages", "10.9.0.5", "/x"))
    )
    lab = written(tmp_path, text.inventory(found, as_lab=True), text.play(found, as_lab=True))
    assert {name: (str(host.address), host.roles) for name, host in lab.inventory.hosts.items()} == {
        "nas": ("192.168.98.1", ["nfs_server"]),
        "a": ("192.168.98.11", ["docker"]),
        "b": ("192.168.98.12", ["docker", "nfs_server"]),
    }
    assert lab.plays["first"].volumes["data"].driver_opts["o"] == "addr=192.168.98.12,rw"


@pytest.mark.parametrize(
    ("engines", "expected"),
    [([(20, 10)], "bookworm"), ([(24, 0)], "trixie"), ([(28, 5), (20, 10)], "trixie"), ([None], "")],
)
def test_the_release_is_the_nearest(engines: list[tuple[int, int] | None], expected: str) -> None:
    assert release([FoundHost("a", "10.0.0.1", engine=one) for one in engines]) == expected


def test_keys_of_daemon_json_that_name_servers_or_credentials_are_left_out() -> None:
    daemon = {
        "log-driver": "splunk",
        "log-opts": {"splunk-token": "hunter2"},
        "registry-mirrors": ["https://mirror.example.org"],
        "proxies": {"http-proxy": "http://ada:hunter2@proxy"},
        "hosts": ["tcp://0.0.0.0:2376"],
        "default-address-pools": [{"base": "172.30.0.0/16", "size": 24}],
    }
    assert [key for key, _ in reported.engine(daemon)] == ["default-address-pools"]
    assert dict(reported.engine({"log-opts": {"max-size": "10m"}})) == {"log-opts": {"max-size": "10m"}}


@pytest.mark.parametrize(
    ("text_of", "taken", "name"),
    [("Node_1.example.org", [], "node-1-example-org"), ("web", ["web"], "web-2"), ("--", [], "host")],
)
def test_names_of_hosts(text_of: str, taken: list[str], name: str) -> None:
    assert host_name(text_of, taken) == name
