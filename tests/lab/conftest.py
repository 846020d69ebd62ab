"""One lab of three virtual machines for all tests of this folder: no root needed, but QEMU, vde2 and mmdebstrap."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from clusterlab.machines.qemu.lab import QemuMachines
from clusterlab.model.inventory import Inventory
from clusterlab.model.lab import Lab
from clusterlab.progress import Silent
from clusterlab.remote import Hosts
from tests.support.check_cases import PLAYBOOKS

ROOT = PLAYBOOKS.parent
Program = Callable[..., subprocess.CompletedProcess[str]]

LAB = os.environ.get("CLUSTERLAB_TEST_LAB", "clusterlab-tests")
"""Two sessions at once on one computer need two names: each begins with removing what an aborted one left."""
LONG = {
    "test_block.py",
    "test_connectivity.py",
    "test_manual.py",
    "test_deprovision.py",
    "test_doctor.py",
    "test_drills.py",
    "test_faults.py",
    "test_namespaces_with_nfs.py",
    "test_nightly.py",
    "test_provision_nfs.py",
    "test_releases.py",
    "test_shop.py",
    "test_snapshots.py",
}
"""What `make test-long` runs beside `make test`."""
LOGS = Path(os.environ.get("CLUSTERLAB_TEST_LOGS", "test-logs")) / "lab"
"""Where the machines' consoles are kept when the session ends."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.lab)
            if item.path.name in LONG:
                item.add_marker(pytest.mark.long)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """In a folder of its own: labs belong to the folder of their inventory, and commands are tried with one there."""
    inventory = {
        "lab": LAB,
        "machines": "qemu",
        "network": {"subnet": "192.168.94.0/24"},
        "hosts": {
            "gw": {"address": "192.168.94.1", "roles": ["nfs_server", "iscsi_target"]},
            "host1": {"address": "192.168.94.11", "roles": ["docker", "swarm_manager"]},
            "host2": {"address": "192.168.94.12", "roles": ["docker", "swarm_worker"]},
        },
    }
    return Lab(inventory=Inventory.model_validate(inventory), folder=tmp_path_factory.mktemp("lab"))


@pytest.fixture(scope="session")
def machines(lab: Lab) -> Iterator[QemuMachines]:
    """The machines, up; what an aborted session left of them is removed first."""
    machines = QemuMachines(lab)
    machines.down(Silent())
    try:
        machines.up(Silent())
        yield machines
    finally:
        machines.collect(LOGS, Silent())
        machines.down(Silent())


@pytest.fixture
def hosts(machines: QemuMachines) -> Iterator[Hosts]:
    with Hosts(machines.targets()) as hosts:
        yield hosts


@pytest.fixture(scope="session")
def inventory(machines: QemuMachines, lab: Lab) -> Path:
    """The default inventory, with the name and the addresses of the lab that is up."""
    wanted = yaml.safe_load((ROOT / "inventory/default.yml").read_text())
    wanted["lab"] = lab.name
    wanted["network"] = {"subnet": str(lab.inventory.network.subnet)}
    for name, host in lab.inventory.hosts.items():
        wanted["hosts"][name]["address"] = str(host.address)
    assert set(wanted["hosts"]) == set(lab.inventory.hosts)
    file = lab.folder / "inventory.yml"
    file.write_text(yaml.safe_dump(wanted, sort_keys=False))
    return file


def program_on(inventory: Path) -> Program:
    """The program on an inventory; what it prints goes into the test's output."""

    def call(verb: str, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "clusterlab", verb, "-i", str(inventory), *words]
        done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True)
        print(f"$ clusterlab {verb} {' '.join(words)}\n{done.stdout}{done.stderr}")
        assert done.returncode == code
        return done

    return call


@pytest.fixture(scope="session")
def clusterlab(inventory: Path) -> Program:
    return program_on(inventory)
