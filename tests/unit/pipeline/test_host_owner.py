"""The script that asks a host whose a lab is, with a Docker client that answers as real ones do."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from clusterlab.pipeline.host_owner import _SCRIPT, _SILENT, _STOPPED


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("Cannot connect to the Docker daemon at unix:///run/docker.sock. Is the docker daemon running?", _STOPPED),
        ("failed to connect to the docker API at unix:///run/docker.sock; check if the path is correct", _STOPPED),
        ("Error response from daemon: client version 1.52 is too new. Maximum supported API version is 1.44", _SILENT),
        ("permission denied while trying to connect to the Docker daemon socket", _SILENT),
    ],
)
def test_an_engine_that_only_the_client_does_not_get_on_with_has_not_said_whose_the_lab_is(
    tmp_path: Path, said: str, code: int
) -> None:
    """`docker info` ends with 0 all the same."""
    docker = tmp_path / "docker"
    docker.write_text(f"#!/bin/sh\n[ $3 = info ] && exit\necho '{said}' >&2\nexit 1\n")
    docker.chmod(0o755)
    words = ["shop", str(tmp_path / "none"), "owner", "by", "/run/docker.sock"]
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    done = subprocess.run(["sh", "-c", _SCRIPT, "sh", *words], env=environment, capture_output=True, check=False)
    assert done.returncode == code
