"""Completion, in each real shell: verbs, options, and names that exist now."""

from __future__ import annotations

import os
import pty
import select
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from clusterlab.cli.completion.script import completion_script
from clusterlab.cli.completion.values import SOURCES, values
from clusterlab.cli.main import collection
from clusterlab.connectivity.properties import PROPERTIES
from clusterlab.errors import UsageError
from clusterlab.faults.kinds import FAULTS
from clusterlab.waiting import wait_until

VERBS = {str(context.name): context for context in collection().to_contexts()}
INVENTORY = "lab: shop\nmachines: existing\nhosts:\n  web1: {address: 10.0.0.1}\n  web2: {address: 10.0.0.2}\n"
LINES = [
    ("clusterlab dep", {"deprovision"}),
    ("clusterlab check vol", {"volumes/one", "volumes/two"}),
    ("clusterlab check --jun", {"--junit"}),
    ("clusterlab ssh web", {"web1", "web2"}),
    ("clusterlab restore be", {"before"}),
    ("clusterlab snapshot --remove be", {"before"}),
    ("clusterlab report 2026", {"20260101T030000Z"}),
    ("clusterlab down --lab sh", {"shop"}),
    ("clusterlab check -i oth", {"other"}),
    ("clusterlab ssh -i other ol", {"old1"}),
    ("clusterlab logs web", {"web1", "web2"}),
    ("clusterlab doctor --explain CL111", {"CL111"}),
    ("clusterlab doctor web", {"web1", "web2"}),
    ("clusterlab nightly --start res", {"restore:before"}),
    ("clusterlab apply --resolve-image ch", {"changed"}),
    ("clusterlab test-cluster --only gos", {"gossip"}),
    ("clusterlab fault iso", {"isolate"}),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with inventories, plays, and the state of a lab."""
    home = tmp_path_factory.mktemp("home")
    for name in ("inventory", "playbooks/volumes", "state/clusterlab/labs/shop/snapshots/before", "bin"):
        (home / name).mkdir(parents=True)
    (home / "state/clusterlab/runs/shop/20260101T030000Z").mkdir(parents=True)
    (home / "inventory/default.yml").write_text(INVENTORY)
    (home / "inventory/other.yml").write_text("lab: old\nhosts: {old1: {address: 10.0.0.9}}\n")
    for name in ("one", "two"):
        (home / f"playbooks/volumes/{name}.yml").write_text("title: x\n")
    program = home / "bin/clusterlab"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m clusterlab "$@"\n')
    program.chmod(0o755)
    return home


def environment(folder: Path) -> dict[str, str]:
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "XDG_STATE_HOME": str(folder / "state"), "HOME": str(folder)}


def in_bash(line: str) -> list[str]:
    words = line.split(" ")
    array = " ".join(map(shlex.quote, words))
    script = completion_script("bash", VERBS)
    script += f'\nCOMP_WORDS=({array}); COMP_CWORD={len(words) - 1}; _clusterlab; printf "%s\\n" "${{COMPREPLY[@]}}"'
    return ["bash", "-c", script]


def in_fish(line: str) -> list[str]:
    script = completion_script("fish", VERBS)
    return ["fish", "--no-config", "-c", f"{script}\ncomplete -C {shlex.quote(line)}"]


@pytest.mark.parametrize("shell", [in_bash, in_fish], ids=["bash", "fish"])
@pytest.mark.parametrize(("line", "wanted"), LINES, ids=[line for line, _ in LINES])
def test_a_shell_completes(shell: object, line: str, wanted: set[str], folder: Path) -> None:
    assert callable(shell)
    done = subprocess.run(
        shell(line), cwd=folder, env=environment(folder), capture_output=True, text=True, check=True, timeout=60
    )
    found = {row.partition("\t")[0] for row in done.stdout.splitlines() if row}
    assert found == wanted, done.stderr


def typed_in_zsh(line: str, folder: Path) -> str:
    """What a real zsh on a terminal has in its line after `line` and a tab."""
    script, answer = folder / "completion.zsh", folder / "answer"
    answer.unlink(missing_ok=True)
    probe = f'probe() {{ print -r -- "$BUFFER" > {answer}.new; mv {answer}.new {answer} }}\nzle -N probe\n'
    script.write_text(completion_script("zsh", VERBS).replace("|| compinit", "|| compinit -u -D") + probe)
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(folder)
        os.execvpe("zsh", ["zsh", "-f", "-i"], environment(folder))
    try:
        os.write(terminal, f"source {script}; bindkey '^X' probe; PS1=READY'%# '\n".encode())
        read_until(terminal, b"READY#", b"READY%")
        os.write(terminal, f"{line}\t\x18".encode())
        wait_until(answer.is_file, "zsh to complete", 60)
        return answer.read_text().rstrip("\n")
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)


def read_until(terminal: int, *marks: bytes) -> None:
    seen = b""
    while not any(mark in seen for mark in marks):
        assert select.select([terminal], [], [], 60)[0], f"zsh shows no prompt: {seen!r}"
        seen += os.read(terminal, 4096)


@pytest.mark.parametrize(("line", "wanted"), LINES, ids=[line for line, _ in LINES])
def test_zsh_completes(line: str, wanted: set[str], folder: Path) -> None:
    common = min(wanted) if len(wanted) == 1 else min(wanted).removesuffix("one").removesuffix("1")
    assert typed_in_zsh(line, folder).rstrip() == f"{line.rpartition(' ')[0]} {common}"


def test_an_unknown_shell_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="there is no completion for 'tcsh'") as caught:
        completion_script("tcsh", VERBS)
    assert caught.value.remedy == "Name bash, zsh or fish."


def test_what_cannot_be_read_has_no_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.yml").write_text("hosts: [")
    assert values(["hosts", "-i", "broken.yml"]) == []
    assert values(["hosts", "--inventory=missing.yml"]) == []
    assert values(["nonsense"]) == []


def test_names_of_faults_and_properties_are_all_of_them_in_their_order() -> None:
    assert values(["faults"]) == list(FAULTS)
    assert values(["properties"]) == list(PROPERTIES)


MOST = {"properties": 20}
"""How many modules may be loaded where it is more than 14: properties are the statements that a few modules make."""


@pytest.mark.parametrize("source", SOURCES)
def test_a_name_loads_few_modules_and_no_heavy_one(source: str, folder: Path) -> None:
    """They are what a key press waits for. Counted, since processor time is up to what else this computer does."""
    script = (
        f"import sys\nfrom clusterlab.cli.main import main\nmain(['clusterlab', '--complete', {source!r}])\n"
        "heavy = {'paramiko', 'docker', 'fabric', 'pydantic', 'invoke', 'rich'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "own = [name for name in sys.modules if name.startswith('clusterlab')]\n"
        f"assert len(own) <= {MOST.get(source, 14)}, own\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=folder, env=environment(folder), check=True)
