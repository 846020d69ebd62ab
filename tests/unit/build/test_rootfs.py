"""Following a build, whatever it does to its process group."""

from __future__ import annotations

from pathlib import Path

import pytest

from clusterlab.build import rootfs
from clusterlab.errors import ClusterlabError
from clusterlab.progress import Silent


def test_a_build_that_hangs_up_on_its_group_does_not_end_us(tmp_path: Path) -> None:
    command = ["sh", "-c", "echo 'no room' >&2; kill -HUP 0; exec sleep 60"]
    with (
        (tmp_path / "out").open("wb") as output,
        Silent().task("rootfs", "building") as task,
        pytest.raises(ClusterlabError, match="was ended by SIGHUP") as failure,
    ):
        rootfs._follow(command, {"PATH": "/usr/bin:/bin"}, output, task)
    assert failure.value.detail == "no room"
