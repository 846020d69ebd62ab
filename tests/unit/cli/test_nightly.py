"""What `nightly`, `history` and `report` refuse before they touch anything, and how a schedule is requested."""

from __future__ import annotations

from pathlib import Path

import pytest

from clusterlab.cli.main import main

INVENTORY = "lab: demo\nmachines: qemu\nhosts:\n  host1: {address: 192.168.98.11, roles: [docker]}\n"
PLAY = 'title: little\nchecks:\n  - {title: it is there, command: {on: host1, run: "test -e /etc"}}\n'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("STATE", "CACHE", "CONFIG"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    (tmp_path / "inventory").mkdir()
    (tmp_path / "inventory" / "default.yml").write_text(INVENTORY)
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks" / "little.yml").write_text(PLAY)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ended(words: list[str]) -> int:
    with pytest.raises(SystemExit) as end:
        main(["clusterlab", *words])
    assert isinstance(end.value.code, int)
    return end.value.code


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("nightly --install --uninstall", "--install and --uninstall are mutually exclusive"),
        ("nightly --at 05:00", "--at has no effect without --install"),
        ("nightly --lab demo", "--lab has no effect without --uninstall"),
        ("nightly --install --at 25:00", "'25:00' is not a time of day"),
        ("nightly --notify=", "the --notify command is empty"),
        ('nightly --notify "', "cannot be read"),
        ("nightly --start restore:warm", "there is no snapshot 'warm'"),
        ("nightly --start afresh", "a nightly run cannot start from 'afresh'"),
        ("nightly --keep sometimes", "--keep cannot be 'sometimes'"),
        ("nightly --deadline 0s", "--deadline must be more than 0"),
        ("nightly --keep-days 0", "at least one run and one day must be kept"),
        ("gc --keep-runs 0", "at least one run and one day must be kept"),
        ("gc --days=-1", "--days cannot be less than 0"),
        ("nightly nosuch", "unknown play 'nosuch'"),
        ("history", "lab demo has no runs"),
        ("history --last 0", "--last must be at least 1"),
        ("report", "lab demo has no run 'last'"),
        ("report --compare 1 2", "lab demo has no run '2'"),
        ("snapshot", "the snapshot has no name"),
        ("restore warm", "lab demo has no snapshot 'warm'"),
    ],
)
def test_what_is_refused(words: str, message: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(words.split()) == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert not (folder / "state").exists() or not list((folder / "state").rglob("results.json"))


def test_without_systemd_the_line_for_cron_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("clusterlab.nightly.schedule.systemd_runs", lambda: False)
    main(["clusterlab", "nightly", "little", "--install", "--at", "2:30", "--notify", "tell 'a b'"])
    line = capsys.readouterr().out.splitlines()[2]
    assert line.startswith(f"30 2 * * * cd {folder} && XDG_STATE_HOME={folder}/state ")
    assert f" nightly little -i {folder}/inventory/default.yml --playbooks {folder}/playbooks " in line
    assert not (folder / "config").exists()
    main(["clusterlab", "nightly", "--uninstall", "--lab", "demo"])
    assert "remove it with `crontab -e`" in capsys.readouterr().out


@pytest.fixture
def systemd(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine that was booted with systemd, as far as it is asked; what systemctl is told is noted in a file."""
    program = folder / "bin" / "systemctl"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\necho "$*" >> {folder}/asked\n[ ! -e {folder}/broken ] || {{ echo no bus >&2; exit 1; }}\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    monkeypatch.setattr("clusterlab.nightly.schedule.systemd_runs", lambda: True)
    return folder / "asked"


def test_with_systemd_a_timer_is_made_and_taken_away(
    systemd: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    units = folder / "config" / "systemd" / "user"
    main(["clusterlab", "nightly", "--install", "--at", "2:30"])
    assert "validated every night at 2:30" in capsys.readouterr().out
    assert {path.name for path in units.iterdir()} == {
        "clusterlab-nightly-demo.service",
        "clusterlab-nightly-demo.timer",
    }
    assert systemd.read_text() == "--user daemon-reload\n--user enable --now clusterlab-nightly-demo.timer\n"
    systemd.unlink()
    main(["clusterlab", "nightly", "--uninstall"])
    assert list(units.iterdir()) == []
    assert systemd.read_text() == "--user disable --now clusterlab-nightly-demo.timer\n--user daemon-reload\n"
    main(["clusterlab", "nightly", "--uninstall"])
    assert "nothing was removed" in capsys.readouterr().out


def test_a_timer_that_cannot_be_started_is_said(
    systemd: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "broken").touch()
    assert ended(["nightly", "--install"]) == 3
    said = " ".join(capsys.readouterr().err.split())
    assert "systemctl --user daemon-reload ended with exit code 1" in said
    assert "no bus" in said
