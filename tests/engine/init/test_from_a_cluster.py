"""`clusterlab init --from HOST` reads a running Swarm, changes nothing there, and what it writes is true of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clusterlab.cli.main import main
from clusterlab.machines.existing import user_ssh
from clusterlab.model import load_lab
from clusterlab.remote import ssh_config
from tests.support.labs import EngineLab, lab_in_swarm, namespaces_lab


@pytest.fixture(scope="module")
def swarm() -> Iterator[EngineLab]:
    """A manager and a worker; the worker is drained and has a label, and there is an NFS volume."""
    with lab_in_swarm(namespaces_lab(f"init-{os.getpid()}", "10.62.0.0/24")) as lab:
        api = lab.hosts["host1"].docker
        (worker,) = [node for node in api.nodes() if node["Spec"]["Role"] == "worker"]
        spec: Any = {**worker["Spec"], "Availability": "drain", "Labels": {"zone": "b"}}
        api.update_node(worker["ID"], worker["Version"]["Index"], spec)
        api.create_network("shop", driver="overlay", attachable=True)
        options = {"type": "nfs", "o": "addr=10.62.0.1,rw", "device": ":/shares"}
        api.create_volume("data", driver="local", driver_opts=options)
        yield lab


@pytest.fixture(autouse=True)
def reached_by_ssh(swarm: EngineLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "ssh_config"
    config.write_text(ssh_config(swarm.machines.targets()))
    monkeypatch.setattr(user_ssh, "USER_CONFIG", config)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def state(lab: EngineLab) -> dict[str, object]:
    """What exists on the host that is read and in the Swarm, without what changes by itself."""
    api = lab.hosts["host1"].docker
    return {
        "volumes": sorted((one["Name"], str(one["Options"])) for one in api.volumes()["Volumes"]),
        "networks": sorted(one["Id"] for one in api.networks()),
        "containers": sorted(one["Id"] for one in api.containers(all=True)),
        "images": sorted(one["Id"] for one in api.images()),
        "nodes": sorted((one["ID"], str(one["Spec"])) for one in api.nodes()),
    }


def test_it_reads_hosts_roles_labels_and_mounts_and_changes_nothing(swarm: EngineLab, tmp_path: Path) -> None:
    before = state(swarm)
    main(["clusterlab", "init", "--from", "host1", "--to", str(tmp_path / "own"), "--lab", "read"])
    assert state(swarm) == before
    text = (tmp_path / "own/inventory/default.yml").read_text()
    lab = load_lab(tmp_path / "own/inventory/default.yml", (), tmp_path / "own/playbooks")
    original = swarm.lab.inventory.hosts
    assert {name: str(host.address) for name, host in lab.inventory.hosts.items()} == {
        name: str(original[name].address) for name in ("host1", "host2")
    }
    assert lab.inventory.hosts["host1"].roles == ["docker", "swarm_manager"]
    assert lab.inventory.hosts["host2"].availability == "drain"
    for seen in ("zone=b", "shop (overlay)", "data: 10.62.0.1:/shares", "Docker "):
        assert seen in text


def test_as_a_lab_it_is_the_same_cluster_as_virtual_machines(swarm: EngineLab, tmp_path: Path) -> None:
    main(["clusterlab", "init", "--from", "host1", "--as-lab", "--to", str(tmp_path / "lab")])
    lab = load_lab(tmp_path / "lab/inventory/default.yml", (), tmp_path / "lab/playbooks")
    assert lab.inventory.machines == "qemu"
    assert lab.inventory.hosts["nas"].roles == ["nfs_server"]
    for name in ("host1", "host2"):
        own, original = lab.inventory.hosts[name], swarm.lab.inventory.hosts[name]
        assert (own.address, own.roles) == (original.address, original.roles)


def test_a_worker_does_not_know_the_nodes(swarm: EngineLab, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["clusterlab", "init", "--from", "host2", "--to", str(tmp_path / "none")])
    assert ended.value.code == 2
    shown = capsys.readouterr().err
    assert "host2 is a worker of its Swarm" in shown
    assert "Name a manager: 10.62.0.11." in shown
    assert not (tmp_path / "none").exists()
