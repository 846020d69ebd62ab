"""The sealed copy of runc that machines run, in folders of the test."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from clusterlab.build.machine_image import GUEST
from clusterlab.waiting import wait_until


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The program at work, with another one in the place of runc."""
    (tmp_path / "sbin").mkdir()
    (tmp_path / "local").mkdir()
    shutil.copy("/bin/true", tmp_path / "sbin" / "runc")
    script = (GUEST / "runc.pl").read_text()
    script = script.replace("/usr/sbin/runc", str(tmp_path / "sbin/runc"))
    script = script.replace("/usr/local/sbin/runc", str(tmp_path / "local/runc"))
    script = script.replace("system 'systemd-notify'", "system 'true'")
    with subprocess.Popen(["perl", "-e", script]) as process:
        try:
            wait_until(lambda: (tmp_path / "local/runc").exists(), "the copy", 10.0)
            yield process
        finally:
            process.kill()


def test_the_copy_runs(keeper: subprocess.Popen[bytes], tmp_path: Path) -> None:
    subprocess.run([tmp_path / "local/runc"], check=True)
    assert keeper.poll() is None


def test_another_runc_is_noticed_among_other_files(keeper: subprocess.Popen[bytes], tmp_path: Path) -> None:
    """A package writes several files, and the kernel may tell of all of them at once."""
    keeper.send_signal(signal.SIGSTOP)
    (tmp_path / "sbin/other").write_text("first")
    shutil.copy("/bin/true", tmp_path / "sbin/new")
    (tmp_path / "sbin/new").rename(tmp_path / "sbin/runc")
    keeper.send_signal(signal.SIGCONT)
    assert keeper.wait(10) == 0
    assert not (tmp_path / "local/runc").is_symlink()


def test_other_files_change_nothing(keeper: subprocess.Popen[bytes], tmp_path: Path) -> None:
    (tmp_path / "sbin/other").write_text("")
    with pytest.raises(subprocess.TimeoutExpired):
        keeper.wait(0.5)
    assert (tmp_path / "local/runc").exists()
