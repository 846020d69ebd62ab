"""`clusterlab explain` as a person runs it: without a lab, and to a pipe."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "manual"


def explain(*words: str) -> subprocess.CompletedProcess[str]:
    options = ["-i", str(FOLDER / "inventory.yml"), "--playbooks", str(FOLDER / "plays")]
    argv = [sys.executable, "-m", "clusterlab", "explain", *words, *options]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)


def test_the_lesson_is_plain_text_in_a_pipe() -> None:
    ended = explain("files")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("files: Files\n")
    assert "\x1b" not in ended.stdout
    assert ended.stderr == ""


@pytest.mark.parametrize(
    ("words", "sections"),
    [(["host1"], ["#host1"]), (["host2", "gw"], ["#host2", "#gw"]), ([], ["#host1", "#host2", "#host1", "#host2"])],
)
def test_scripts_are_of_the_hosts_that_are_named(words: list[str], sections: list[str]) -> None:
    ended = explain("networks", "--shell", *words)
    assert ended.returncode == 0, ended.stderr
    assert [line for line in ended.stdout.splitlines() if line.startswith("#") and " " not in line][:4] == sections


def test_a_host_without_shell_is_taken_for_a_play() -> None:
    ended = explain("networks", "host1")
    assert ended.returncode == 2
    assert "unknown play 'host1'" in ended.stderr


def test_with_neither_play_it_explains_all() -> None:
    ended = explain()
    assert ended.returncode == 0, ended.stderr
    assert [line for line in ended.stdout.splitlines() if line in ("files: Files", "networks: Networks")] == [
        "files: Files",
        "networks: Networks",
    ]
