"""`setup`: the names of missing packages, from the script that the Makefile runs, too."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from clusterlab.cli.main import main

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A computer on which no package is installed, and none can be."""
    (tmp_path / "bin").mkdir()
    query = tmp_path / "bin/dpkg-query"
    query.write_text("#!/bin/sh\nexit 1\n")
    query.chmod(0o755)
    for tool in ("sh", "dirname"):
        (tmp_path / "bin" / tool).symlink_to(next(p for d in os.get_exec_path() if (p := Path(d) / tool).exists()))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("option", "more"), [([], set()), (["--vagrant"], {"vagrant-libvirt", "libvirt-clients"})])
def test_missing_packages_are_named_and_not_installed(
    option: list[str],
    more: set[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    with pytest.raises(SystemExit) as ended:
        main(["clusterlab", "setup", "--dry-run", *option])
    assert not ended.value.code
    shown = capfd.readouterr().out.splitlines()
    assert {"qemu-system-x86", "mmdebstrap", "openssh-client", *more} <= set(shown)
    assert ("vagrant" in shown) is bool(more)
    assert "chromium" not in shown, "only tests need it"


def test_without_apt_it_names_them_and_ends_with_3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("clusterlab.cli.main._SYSTEM", str(tmp_path / "bin"))
    monkeypatch.setenv("PATH", f"{tmp_path}/bin")
    with pytest.raises(SystemExit) as ended:
        main(["clusterlab", "setup"])
    assert ended.value.code == 3
    assert "apt-get is missing; install these packages manually: python3-venv" in capfd.readouterr().err


def test_names_that_nobody_reads_are_no_failure(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    environment = {**os.environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "clusterlab", "setup", "--dry-run"]
    done = subprocess.run(command, env=environment, stdout=write, stderr=subprocess.PIPE, timeout=60, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_makefile_runs_the_same_script() -> None:
    assert "\tsh setup/system.sh\n" in (ROOT / "Makefile").read_text()
    assert (ROOT / "clusterlab/shipped/setup").resolve() == ROOT / "setup"
