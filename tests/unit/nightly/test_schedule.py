from __future__ import annotations

import shlex
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from clusterlab.errors import UsageError
from clusterlab.nightly.schedule import Schedule, uninstall, units_folder, write_units

ODD = 'tell me "100%" of $HOME \\ now'


def schedule(tmp_path: Path, at: str = "3:05") -> Schedule:
    program = tmp_path / "clusterlab"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return Schedule("demo", [str(program), "nightly", "-i", "/a b/lab.yml", f"--notify={ODD}"], tmp_path, at, 3600)


def test_the_units_are_valid_to_systemd(tmp_path: Path) -> None:
    assert shutil.which("systemd-analyze"), "systemd-analyze is missing: install the package systemd"
    own = replace(schedule(tmp_path), environment={"XDG_STATE_HOME": "/a b/%i"})
    paths = write_units(own, tmp_path / "units")
    done = subprocess.run(
        ["systemd-analyze", "--user", "verify", *map(str, paths)],
        capture_output=True, text=True, check=False,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)},
    )  # fmt: skip
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_systemd_would_notice_what_is_wrong(tmp_path: Path) -> None:
    service, _ = write_units(schedule(tmp_path), tmp_path / "units")
    service.write_text(service.read_text().replace("Type=oneshot", "Type=nonsense"))
    done = subprocess.run(
        ["systemd-analyze", "--user", "verify", str(service)],
        capture_output=True, text=True, check=False,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)},
    )  # fmt: skip
    assert "nonsense" in done.stderr


def test_nothing_of_a_word_is_replaced_by_systemd(tmp_path: Path) -> None:
    assert '"--notify=tell me \\"100%%\\" of $$HOME \\\\ now"' in schedule(tmp_path).service()


def test_own_folders_are_handed_on(tmp_path: Path) -> None:
    own = replace(schedule(tmp_path), environment={"XDG_STATE_HOME": '/a "b"/100% $x'})
    assert 'Environment="XDG_STATE_HOME=/a \\"b\\"/100%% $x"\n' in own.service()
    assert shlex.split(own.cron_line().replace("\\%", "%"))[8] == 'XDG_STATE_HOME=/a "b"/100% $x'
    assert "Environment" not in schedule(tmp_path).service()


def test_machines_that_are_kept_outlive_the_service(tmp_path: Path) -> None:
    assert "KillMode=process" in schedule(tmp_path).service()
    assert "TimeoutStartSec=4500" in schedule(tmp_path).service()


def test_the_time(tmp_path: Path) -> None:
    assert "OnCalendar=*-*-* 03:05:00" in schedule(tmp_path).timer()
    assert schedule(tmp_path).cron_line().startswith("5 3 * * * cd ")


def test_the_cron_line_is_what_a_shell_reads_back(tmp_path: Path) -> None:
    line = schedule(tmp_path).cron_line()
    assert "%" not in line.replace("\\%", "")  # a bare one would end the command
    words = shlex.split(line.removeprefix("5 3 * * * ").replace("\\%", "%"))
    assert words == ["cd", str(tmp_path), "&&", *schedule(tmp_path).command]


@pytest.mark.parametrize("at", ["25:00", "3", "03:60", "03:00; reboot"])
def test_a_time_that_is_none(tmp_path: Path, at: str) -> None:
    with pytest.raises(UsageError):
        schedule(tmp_path, at)


def test_a_line_break_cannot_add_a_setting(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        Schedule("demo", ["x\nExecStart=evil"], tmp_path, "3:00", 60)


def test_uninstall_removes_both_units(tmp_path: Path) -> None:
    paths = write_units(schedule(tmp_path), units_folder())
    assert len(uninstall("demo")) == 2
    assert not any(path.exists() for path in paths)
    assert "nothing was removed" in uninstall("demo")[0]
