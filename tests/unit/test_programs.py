"""Programs that hang are ended with all they started, and what they last printed is in the error."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from clusterlab.errors import ClusterlabError, DeadlineExceeded
from clusterlab.programs import follow_program, run_program


def alive(marker: str) -> list[str]:
    """Command lines with the marker, without the one that looks."""
    done = subprocess.run(["pgrep", "-af", marker], capture_output=True, text=True, check=False)
    return [line for line in done.stdout.splitlines() if "pgrep" not in line]


def hanging(tmp_path: Path, last: str = "step two") -> tuple[str, str]:
    """A shell command that prints, starts a child and hangs; and what its processes are found by."""
    marker = f"31{os.getpid()}.{len(str(tmp_path))}"
    return f"echo step one; echo {last} >&2; sleep {marker} & sleep {marker}", f"sleep {marker}"


def test_a_program_that_ends() -> None:
    done = run_program(["sh", "-c", "cat; echo bad >&2; exit 3"], 10, stdin="given")
    assert (done.exit, done.stdout, done.stderr, done.output) == (3, "given", "bad\n", "given\nbad")


def test_a_program_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    script, marker = hanging(tmp_path)
    began = time.monotonic()
    with pytest.raises(DeadlineExceeded) as raised:
        run_program(["sh", "-c", script], 0.5, remedy="do this")
    assert time.monotonic() - began < 5
    assert "did not end within 0.5 s, and was ended" in raised.value.message
    assert raised.value.detail == "step one\nstep two"
    assert raised.value.remedy == "do this"
    assert alive(marker) == []


def test_a_program_that_is_not_installed() -> None:
    with pytest.raises(ClusterlabError, match="the program no-such-program is not installed"):
        run_program(["no-such-program"], 10)


def test_lines_come_as_they_are_printed() -> None:
    lines: list[str] = []
    code = follow_program(["sh", "-c", "echo a; echo b >&2; printf c; exit 4"], lines.append, silence=10)
    assert (code, lines) == (4, ["a", "b", "c"])


def test_standard_output_may_go_elsewhere(tmp_path: Path) -> None:
    lines: list[str] = []
    with (tmp_path / "out").open("wb") as file:
        assert follow_program(["sh", "-c", "echo a; echo b >&2"], lines.append, silence=10, stdout=file) == 0
    assert (lines, (tmp_path / "out").read_text()) == (["b"], "a\n")


def test_a_program_that_falls_silent_is_ended_with_its_children(tmp_path: Path) -> None:
    script, marker = hanging(tmp_path)
    began = time.monotonic()
    with pytest.raises(DeadlineExceeded) as raised:
        follow_program(["sh", "-c", script], lambda line: None, silence=0.5, grace=0.5)
    assert time.monotonic() - began < 5
    assert "printed nothing for 0.5 s, and was ended" in raised.value.message
    assert raised.value.detail == "step one\nstep two"
    assert alive(marker) == []


def test_one_that_ignores_the_interrupt_is_killed(tmp_path: Path) -> None:
    script, marker = hanging(tmp_path)
    with pytest.raises(DeadlineExceeded):
        follow_program(["sh", "-c", f"trap '' INT; {script}"], lambda line: None, silence=0.3, grace=0.3)
    assert alive(marker) == []


def test_an_interrupt_lets_a_program_clean_up(tmp_path: Path) -> None:
    cleaned = tmp_path / "cleaned"
    script = f"trap 'touch {cleaned}; exit 1' INT; echo ready; while :; do sleep 0.05; done"

    def on_line(line: str) -> None:
        threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGINT)).start()

    with pytest.raises(KeyboardInterrupt):
        follow_program(["sh", "-c", script], on_line, silence=30)
    assert cleaned.exists()
