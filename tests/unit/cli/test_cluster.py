"""The connectivity test on the command line: what it refuses before it touches anything, and its lesson."""

from __future__ import annotations

from pathlib import Path

import pytest

from clusterlab.cli.main import main

INVENTORY = """\
lab: demo
machines: existing
hosts:
  host1: {address: 192.0.2.11, roles: [docker, swarm_manager]}
  host2: {address: 192.0.2.12, roles: [docker, swarm_worker]}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "office.yml").write_text(INVENTORY)
    return tmp_path


def clusterlab(words: str) -> int | str | None:
    with pytest.raises(SystemExit) as ended:
        main(["clusterlab", *words.split()])
    return ended.value.code


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("test-cluster 192.0.2.11 -i office.yml", "a manager and --inventory are mutually exclusive"),
        ("test-cluster -i office.yml --node host3", "host3 is not a node of the Swarm"),
        ("test-cluster -i office.yml --only pings", "unknown property 'pings'"),
        ("test-cluster -i office.yml --port 65535", "is not the first of three free ports"),
        ("test-cluster -i office.yml --floor fast", "--floor fast is not a number of bytes in a second"),
        ("test-cluster -i office.yml --floor 11M", "so more than 10M cannot be measured"),
    ],
)
def test_what_it_refuses(words: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert clusterlab(words) == 2
    assert message in capsys.readouterr().err


def test_a_dry_run_says_that_more_is_added_when_it_runs(capsys: pytest.CaptureFixture[str]) -> None:
    main(["clusterlab", "test-cluster", "-i", "office.yml", "--dry-run", "--floor", "10M"])
    shown = capsys.readouterr().out
    assert "  every node downloads from every other at 10 MiB/s or more\n" in shown
    assert "Statements about existing volumes and services are added when the test runs.\n" in shown


def test_it_lists_what_it_tests(capsys: pytest.CaptureFixture[str]) -> None:
    main(["clusterlab", "test-cluster", "--list"])
    shown = capsys.readouterr().out
    assert "packets of full size on an overlay network" in shown
    assert "(not with --quick)" in shown


def test_explain_lists_it_and_shows_how_it_is_done_manually(capsys: pytest.CaptureFixture[str]) -> None:
    assert clusterlab("explain --help") == 0
    assert "test-cluster is what the verb" in " ".join(capsys.readouterr().out.split())
    main(["clusterlab", "explain", "test-cluster", "-i", "office.yml"])
    shown = capsys.readouterr().out
    assert "test-cluster: Every node reaches every other" in shown
    assert "192.0.2.12 29519" in shown
