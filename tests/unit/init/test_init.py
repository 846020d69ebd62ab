"""`clusterlab init` without a cluster: defaults, and Ansible inventories; what it writes is valid."""

from __future__ import annotations

from pathlib import Path

import pytest

from clusterlab.cli.main import main
from clusterlab.errors import UsageError
from clusterlab.init import ansible, text
from clusterlab.init.found import Found, FoundHost, FoundService, NfsMount, host_name
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
        FoundHost("node1", "10.0.0.11", ("docker", "swarm_manager"), notes="Docker 26.1.5; zone=a"),
        FoundHost("node2", "10.0.0.12", ("docker", "swarm_worker"), "drain"),
    ),
    (("user", "admin"),),
    ("shop (overlay) 10.0.1.0/24",),
    (NfsMount("data", "10.0.0.5", "/shares"), NfsMount("logs", "10.0.0.5", "/logs")),
    (FoundService("api", (8080,)), FoundService("job")),
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


def test_what_was_found_becomes_valid_files(tmp_path: Path) -> None:
    lab = written(tmp_path, text.inventory(FOUND, as_lab=False), text.play(FOUND))
    assert lab.inventory.machines == "existing"
    assert lab.inventory.ssh.user == "admin"
    assert lab.inventory.hosts["node2"].availability == "drain"
    titles = [check.title for check in lab.plays["first"].checks]
    assert "every Docker host reaches the file server 10.0.0.5" in titles
    assert "the service api answers on port 8080 of node1" in titles


def test_as_a_lab_it_has_the_same_hosts_and_a_file_server_of_its_own(tmp_path: Path) -> None:
    lab = written(tmp_path, text.inventory(FOUND, as_lab=True), text.play(FOUND))
    hosts = lab.inventory.hosts
    assert lab.inventory.machines == "qemu"
    assert {name: str(host.address) for name, host in hosts.items()} == {
        "nas": "10.0.0.5",
        "node1": "10.0.0.11",
        "node2": "10.0.0.12",
    }
    assert hosts["nas"].roles == ["nfs_server"]
    assert hosts["node2"].availability == "drain"
    assert [str(export.path) for export in lab.inventory.nfs.exports] == ["/logs", "/shares"]


@pytest.mark.parametrize(
    ("text_of", "taken", "name"),
    [("Node_1.example.org", [], "node-1-example-org"), ("web", ["web"], "web-2"), ("--", [], "host")],
)
def test_names_of_hosts(text_of: str, taken: list[str], name: str) -> None:
    assert host_name(text_of, taken) == name
