"""What fills a file system fills it, and gives all of it back, also when it is healed while it is still at work."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from clusterlab.faults.kind import OnHost
from clusterlab.faults.kinds import FAULTS
from clusterlab.faults.scene import Scene
from clusterlab.waiting import wait_until

ID = f"test{os.getpid()}"
FOLDER = Path("/run/clusterlab/faults") / ID


@pytest.fixture(params=["tmpfs", "ext4"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A file system of 200 MiB, and the folder of a fault."""
    there, image = tmp_path / "disk", tmp_path / "image"
    there.mkdir()
    if request.param == "tmpfs":
        mount = ["mount", "-t", "tmpfs", "-o", "size=200M", "tmpfs", str(there)]
    else:
        image.touch()
        os.truncate(image, 200 << 20)
        subprocess.run(["mkfs.ext4", "-q", str(image)], check=True)
        mount = ["mount", "-o", "loop", str(image), str(there)]
    subprocess.run(mount, check=True)
    FOLDER.mkdir(parents=True)
    try:
        yield there
    finally:
        subprocess.run(["rm", "-rf", str(FOLDER)], check=True)
        subprocess.run(["umount", str(there)], check=True)


def part(disk: Path, **more: Any) -> OnHost:
    kind: Any = FAULTS["fill_disk"]
    params = kind.model.model_validate({"host": "host1", "path": str(disk), **more})
    (found,) = kind.parts(params, cast(Scene, None))
    return OnHost(found.host, found.inject.replace("FAULT_ID", ID), found.heal.replace("FAULT_ID", ID))


def free(disk: Path) -> int:
    found = os.statvfs(disk)
    return found.f_bfree * found.f_frsize


def given_back(disk: Path, before: int) -> None:
    """The kernel frees the file a moment after its process was killed."""
    wait_until(lambda: free(disk) >= before - (1 << 20), "the space to be free again", 10.0)


def sh(script: str) -> None:
    subprocess.run(["sh", "-c", script], check=True, timeout=60)


def test_it_is_full_and_empty_again(disk: Path) -> None:
    before = free(disk)
    fill = part(disk)
    sh(fill.inject)
    try:
        with pytest.raises(OSError, match="No space left on device"):
            (disk / "more").write_bytes(bytes(1 << 20))
        (disk / "more").unlink()
    finally:
        sh(fill.heal)
    given_back(disk, before)
    assert list(disk.glob(".clusterlab*")) == []


def test_so_much_is_left(disk: Path) -> None:
    before = free(disk)
    fill = part(disk, leave="20M")
    sh(fill.inject)
    try:
        assert abs(free(disk) - (20 << 20)) <= 4 << 20
    finally:
        sh(fill.heal)
    given_back(disk, before)


def test_it_is_healed_while_it_is_at_work(disk: Path) -> None:
    before = free(disk)
    fill = part(disk)
    filling = subprocess.Popen(["sh", "-c", fill.inject], start_new_session=True)
    while not (FOLDER / "holder").exists():
        assert filling.poll() is None
    sh(fill.heal)
    filling.wait(60)
    given_back(disk, before)
