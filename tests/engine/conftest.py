"""A lab of real engines for the tests of a file that change nothing lasting in it; without root: an error, not a skip.

With `--numprocesses` the tests run in several processes, which share nothing: see workers.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from clusterlab.machines.namespaces.machines import machine_tree
from clusterlab.machines.qemu.kind import QemuSettings
from clusterlab.progress import Silent
from tests.support.labs import EngineLab, lab_up, namespaces_lab
from tests.support.workers import InParts, begins


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> InParts:
    config.option.loadscopereorder = False  # by the number of tests, which says little here
    return InParts(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: begins(item.nodeid))


@pytest.fixture(scope="session", autouse=True)
def root_file_system() -> None:
    """Built before the first test of each process: with an empty cache the first one builds it, and the others wait.

    Within a test, its deadlines would run meanwhile.
    """
    machine_tree(QemuSettings().release, Silent())


@pytest.fixture(scope="module")
def engine_lab() -> Iterator[EngineLab]:
    """gw, host1 and host2 with engines, without a Swarm."""
    with lab_up(namespaces_lab(f"engine-{os.getpid()}", "10.60.0.0/24")) as lab:
        yield lab
