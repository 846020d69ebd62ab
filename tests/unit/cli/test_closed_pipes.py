"""No verb ends with a traceback when its output cannot be written: a closed pipe or stream, a full disk."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from clusterlab.cli.registry import VERBS

ROOT = Path(__file__).parents[3]
WORDS = ["--help", "run --help", "schema", "validate", "labs", "gc", "chekc", "--print-completion-script bash"]
CLUSTERLAB = [sys.executable, "-c", "from clusterlab.cli.main import main; main()"]


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("both", [False, True], ids=["stdout", "stdout and stderr"])
def test_a_closed_pipe_changes_nothing_but_what_is_read(words: str, both: bool, tmp_path: Path) -> None:
    command = [*CLUSTERLAB, *words.split()]
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    whole = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)
    read, write = os.pipe()
    os.close(read)
    stderr = write if both else subprocess.PIPE
    cut = subprocess.run(command, cwd=ROOT, env=environment, stdout=write, stderr=stderr, check=False)
    os.close(write)
    assert cut.returncode == whole.returncode
    if not both:
        assert cut.stderr == whole.stderr


EVERY_VERB = [
    *("up --dry-run", "down --dry-run", "status", "ssh", "ssh-config", "snapshot one --dry-run", "restore one"),
    *("snapshots", "logs", "collect", "provision", "plan", "apply", "clean", "deprovision", "run --dry-run"),
    *("check volumes/nfs --dry-run", "drill --dry-run", "rehearse", "doctor --explain CL305", "test-cluster --list"),
    *("fault", "heal", "faults", "explain hello --playbooks own", "learn", "nightly --dry-run", "history", "report"),
    *("labs", "gc", "init --dry-run", "setup --dry-run", "validate", "schema", "box -i default"),
]
"""A command line for every verb that prints something, or an error, on a lab that is not up."""
PLAY = "title: Hello\nchecks: [{title: a host runs commands, command: {on: host1, run: id}}]\n"
"""Without a container: no image is built to explain it."""
_ALL = """
import sys
from clusterlab.cli.main import main
for words in sys.argv[1:]:
    try:
        main(["clusterlab", *words.split()])
        code = 0
    except SystemExit as end:
        code = end.code
    print(words, code or 0, file=sys.stderr)
"""


def test_every_verb_bears_a_closed_pipe(tmp_path: Path) -> None:
    assert sorted(words.split()[0] for words in EVERY_VERB) == sorted(VERBS)
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    (tmp_path / "own").mkdir()
    (tmp_path / "own/hello.yml").write_text(PLAY)
    command = [sys.executable, "-c", _ALL, *EVERY_VERB]
    whole = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    read, write = os.pipe()
    os.close(read)
    cut = subprocess.run(
        command, cwd=tmp_path, env=environment, stdout=write, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(write)
    assert "Traceback" not in whole.stderr
    assert cut.stderr == whole.stderr
    assert cut.returncode == whole.returncode == 0


@pytest.mark.parametrize("program", ["invoke", "fabric"])
def test_invoke_and_fabric_bear_a_closed_pipe(program: str) -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", program, "--list"]
    done = subprocess.run(command, cwd=ROOT, stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")


def in_shell(words: str, redirections: str) -> subprocess.CompletedProcess[str]:
    script = f'exec "$@" {redirections}'
    command = ["sh", "-c", script, "sh", *CLUSTERLAB, *words.split()]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("redirections", [">&-", "2>&-", ">&- 2>&-"])
@pytest.mark.parametrize(("words", "code"), [("--version", 0), ("schema", 0), ("chekc", 2)])
def test_a_closed_stream_changes_nothing_but_what_is_read(words: str, code: int, redirections: str) -> None:
    done = in_shell(words, redirections)
    assert done.returncode == code
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", ["--version", "schema"])  # less than a buffer, and more
def test_a_full_disk_behind_the_output_is_one_error(words: str) -> None:
    done = in_shell(words, "> /dev/full")
    assert done.returncode == 3
    assert done.stderr.splitlines()[0] == "error: cannot write the output: No space left on device"
    assert done.stderr.count("error") == 1
    assert "Traceback" not in done.stderr


def test_a_full_disk_behind_the_messages_leaves_the_exit_code() -> None:
    assert in_shell("chekc", "2> /dev/full").returncode == 2
    assert in_shell("schema", "> /dev/full 2> /dev/full").returncode == 3
