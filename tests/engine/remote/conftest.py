from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from clusterlab.remote import Host, Hosts
from tests.support.labs import EngineLab
from tests.support.sshd import Sshd, server


@pytest.fixture(autouse=True)
def no_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the agent of whoever runs it."""
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    with server(tmp_path / "sshd") as running:
        yield running


@pytest.fixture
def host(sshd: Sshd) -> Iterator[Host]:
    with Hosts({"host1": sshd.target()}) as hosts:
        yield hosts["host1"]


@pytest.fixture
def fresh(engine_lab: EngineLab) -> Iterator[Hosts]:
    """Connections that nothing was asked through yet."""
    with Hosts(engine_lab.machines.targets()) as hosts:
        yield hosts
