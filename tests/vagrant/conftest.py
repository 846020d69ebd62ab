"""Machines that Vagrant really makes, with libvirt: `make test-vagrant` installs and starts what that needs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.vagrant_lab import VagrantLab

LOGS = Path(os.environ.get("CLUSTERLAB_TEST_LOGS", "test-logs")).absolute() / "vagrant"
"""Where logs are kept when the session ends."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.vagrant)


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home for Vagrant of its own: what the user's has stays as it is, and what is left over is seen."""
    folder = tmp_path_factory.mktemp("vagrant-home")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("VAGRANT_HOME", str(folder))
        yield folder


@pytest.fixture(scope="module")
def cleared(home: Path) -> Iterator[list[VagrantLab]]:
    """Labs that are removed when the module's tests have ended, whatever became of them; their logs are kept."""
    labs: list[VagrantLab] = []
    yield labs
    for lab in labs:
        if lab.left():
            lab.clusterlab("collect", "--to", str(LOGS / lab.name))
            lab.clusterlab("down")
