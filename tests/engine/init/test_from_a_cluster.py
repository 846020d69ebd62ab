"""`clusterlab init --from HOST` reads a running Swarm, changes nothing there, and what it writes is true of it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.types import IPAMConfig, IPAMPool

from clusterlab.cli.main import main
from clusterlab.machines import open_machines
from clusterlab.machines.existing import user_ssh
from clusterlab.model import load_lab
from clusterlab.remote import Hosts, ssh_config
from tests.support.labs import EngineLab, lab_in_swarm, namespaces_lab

SWARM = {"default_addr_pool": ["10.64.0.0/16"], "subnet_size": 26, "cert_expiry": "720h", "task_history": 3}
DAEMON = {"log-opts": {"max-size": "10m"}, "registry-mirrors": ["https://ada:hunter2@mirror.example.org"]}


@pytest.fixture(scope="module")
def swarm() -> Iterator[EngineLab]:
    """A manager and a worker; the worker is drained and has a label, and there is an NFS volume.

    The Swarm and the manager's engine have settings of their own.
    """
    with lab_in_swarm(namespaces_lab(f"init-{os.getpid()}", "10.62.0.0/24", swarm=SWARM)) as lab:
        api = lab.hosts["host1"].docker
        (worker,) = [node for node in api.nodes() if node["Spec"]["Role"] == "worker"]
        spec: Any = {**worker["Spec"], "Availability": "drain", "Labels": {"zone": "b"}}
        api.update_node(worker["ID"], worker["Version"]["Index"], spec)
        api.create_network("shop", driver="overlay", attachable=True)
        chosen = IPAMConfig(pool_configs=[IPAMPool(subnet="172.30.5.0/24")])
        api.create_network("office", driver="overlay", internal=True, ipam=chosen)
        api.create_network("wiki_default", driver="overlay", labels={"com.docker.stack.namespace": "wiki"})
        lab.hosts["host1"].write("/etc/docker/daemon.json", json.dumps(DAEMON).encode())
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
    assert lab.inventory.hosts["host2"].labels == {"zone": "b"}
    settings = lab.inventory.swarm
    assert (settings.task_history, settings.cert_expiry, settings.subnet_size) == (3, 720 * 3600.0, 26)
    for seen in ("shop (overlay)", "data: 10.62.0.1:/shares", "Docker "):
        assert seen in text
    assert "hunter2" not in text


def test_as_a_lab_it_is_the_same_cluster(swarm: EngineLab, tmp_path: Path) -> None:
    """The lab that `--as-lab` writes is brought up, and read as the cluster was."""
    folder = tmp_path / "lab"
    main(["clusterlab", "init", "--from", "host1", "--as-lab", "--to", str(folder), "--lab", f"same{os.getpid()}"])
    file = folder / "inventory/default.yml"
    written = load_lab(file, (), folder / "playbooks")
    assert written.inventory.machines == "qemu"
    assert written.inventory.hosts["nas"].roles == ["nfs_server"]
    assert written.inventory.engine == {"log-opts": {"max-size": "10m"}}
    assert {name: volume.driver_opts["device"] for name, volume in written.plays["first"].volumes.items()} == {
        "data": ":/shares"
    }
    # in namespaces, beside the cluster, and without what their kernel may lack
    text = file.read_text().replace("machines: qemu", "machines: namespaces").replace("10.62.0.", "10.63.0.")
    file.write_text(re.sub(r"^qemu: .*$", "", text, flags=re.MULTILINE))
    try:
        run = ["run", "-i", str(file), "--playbooks", str(folder / "playbooks"), "--json", str(folder / "run.json")]
        with suppress(SystemExit):  # a kernel without NFS has no file server
            main(["clusterlab", *run])
        results = json.loads((folder / "run.json").read_text())["results"]
        outcomes = {one["check"]: one["outcome"] for one in results if "file server" not in one["check"]}
        assert len(outcomes) >= 4
        assert set(outcomes.values()) == {"pass"}, outcomes
        with Hosts(open_machines(load_lab(file, (), folder / "playbooks")).targets()) as lab:
            assert cluster_of(lab["host1"].docker) == cluster_of(swarm.hosts["host1"].docker)
    finally:
        main(["clusterlab", "down", "-i", str(file)])


def cluster_of(api: docker.APIClient) -> dict[str, object]:
    """What a person would compare of two clusters: no addresses, identifiers or times."""
    swarm = api.inspect_swarm()
    return {
        "nodes": {
            node["Description"]["Hostname"]: (
                node["Spec"]["Role"],
                node["Spec"]["Availability"],
                {key: value for key, value in (node["Spec"].get("Labels") or {}).items() if "clusterlab" not in key},
                node["Description"]["Engine"]["EngineVersion"],
            )
            for node in api.nodes()
        },
        "swarm": (
            swarm["DefaultAddrPool"],
            swarm["SubnetSize"],
            swarm["Spec"]["CAConfig"]["NodeCertExpiry"],
            swarm["Spec"]["Orchestration"]["TaskHistoryRetentionLimit"],
        ),
        "networks": {
            one["Name"]: (
                one["Attachable"],
                one["Internal"],
                [config["Subnet"] for config in one["IPAM"]["Config"] or [] if config["Subnet"].startswith("172.")],
            )
            for one in api.networks(filters={"driver": "overlay"})
            if one["Name"] in ("shop", "office")
        },
    }


def test_a_worker_does_not_know_the_nodes(swarm: EngineLab, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["clusterlab", "init", "--from", "host2", "--to", str(tmp_path / "none")])
    assert ended.value.code == 2
    shown = capsys.readouterr().err
    assert "host2 is a worker of its Swarm" in shown
    assert "Name a manager: 10.62.0.11." in shown
    assert not (tmp_path / "none").exists()
