"""What all unit tests share."""

from __future__ import annotations

import os

import pytest

from clusterlab import redaction
from clusterlab.redaction import Secrets


@pytest.fixture(autouse=True)
def _no_known_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test redacts the values of the labs and stacks that another one has loaded in this process."""
    monkeypatch.setattr(redaction, "SECRETS", Secrets())


@pytest.fixture(autouse=True)
def _folders_of_its_own(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees what this machine has built, recorded or configured.

    The cache is one for all of a run, so that an image is built once.
    """
    home = tmp_path_factory.mktemp("home")
    whole_run = home.parent.parent if "PYTEST_XDIST_WORKER" in os.environ else home.parent
    monkeypatch.setenv("XDG_CACHE_HOME", str(whole_run / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
