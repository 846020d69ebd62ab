"""The command line: words become what Invoke wants, and wrong ones are said to be wrong."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from clusterlab.cli.main import collection, main
from clusterlab.cli.program import words_as_flags
from clusterlab.cli.registry import by_group
from clusterlab.errors import UsageError

ROOT = Path(__file__).parents[3]
VERBS = {str(context.name): context for context in collection().to_contexts()}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("check", "check"),
        ("check volumes/nfs networks/host", "check --play volumes/nfs --play networks/host"),
        ("check -i lab.yml volumes/nfs --json -", "check --inventory lab.yml --play volumes/nfs --json -"),
        ("check --inventory=lab.yml", "check --inventory=lab.yml"),
        ("ssh -i lab.yml host1", "ssh --inventory lab.yml --host host1"),
        ("check volumes/nfs --help", "--help check"),
        ("--help check", "--help check"),
        ("--version", "--version"),
        ("up --keep", "up --keep"),
    ],
)
def test_words_become_flags(given: str, wanted: str) -> None:
    assert words_as_flags(given.split(), VERBS) == wanted.split()


def test_a_command_for_a_host_is_one_string_as_by_ssh() -> None:
    given = ["ssh", "host1", "--", "ls", "-l", "/tmp"]
    assert words_as_flags(given, VERBS) == ["ssh", "--host", "host1", "--command=ls -l /tmp"]


@pytest.mark.parametrize(
    ("given", "message", "remedy"),
    [
        ("chekc", "unknown verb 'chekc'", "Did you mean 'check'? `clusterlab --help` lists the verbs."),
        ("up -- ls", "up: does not run a command", "Leave out `--` and what follows it."),
        ("up host1", "up: does not take 'host1'", "`clusterlab up --help` shows what it takes."),
        ("ssh host1 ls", "ssh: does not take 'ls'", "`clusterlab ssh --help` shows what it takes."),
        ("up --kep", "up: has no option --kep", "Did you mean --keep? `clusterlab up --help` lists its options."),
        ("check --json", "--json needs a value", "Write --json VALUE, or --json=VALUE when it begins with a dash."),
        ("check -i --json x", "--inventory needs a value", None),
        ("history --last x", "--last needs a whole number, not 'x'", "For example --last 5."),
        ("gc --days=2.5", "--days needs a whole number, not '2.5'", "For example --days 5."),
        ("nightly --keep-runs=", "--keep-runs needs a whole number, not ''", None),
    ],
)
def test_wrong_usage_is_explained(given: str, message: str, remedy: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        words_as_flags(given.split(), VERBS)
    assert caught.value.message == message
    assert remedy is None or caught.value.remedy == remedy


@pytest.mark.parametrize("words", ["", "chekc", "check -i missing.yml", "check --nonsense"])
def test_wrong_usage_ends_with_2(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["clusterlab", *words.split()])
    assert ended.value.code == 2


def test_help_lists_every_verb_and_needs_no_heavy_module() -> None:
    script = (
        "import sys\n"
        "from clusterlab.cli.main import main\n"
        "try:\n    main(['clusterlab', '--help'])\n"
        "except SystemExit as end:\n    assert not end.code\n"
        "heavy = {'paramiko', 'docker', 'fabric', 'pydantic', 'jinja2'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    listed = {line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ")}
    assert listed == {str(name) for name in VERBS}


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_option_is_explained(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["clusterlab", verb, "--help"])
    assert not ended.value.code
    assert f"Usage: clusterlab {verb}" in capsys.readouterr().out
    for argument in VERBS[verb].args.values():
        assert argument.help, f"{verb} --{argument.name} has no help"


@pytest.mark.parametrize("program", ["invoke", "fabric"])
def test_invoke_and_fabric_show_the_same_verbs(program: str) -> None:
    listing = [sys.executable, "-m", program, "--list"]
    done = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True)
    for verb in VERBS:
        assert f"  {verb} " in done.stdout


@pytest.mark.parametrize(
    "words", [["-m", "invoke", "status"], ["-m", "fabric", "status"], ["-m", "clusterlab", "status"]], ids=" ".join
)
@pytest.mark.parametrize("wanted", ["1", ""])
def test_a_variable_shows_what_is_done_on_hosts(words: list[str], wanted: str, tmp_path: Path) -> None:
    """On an existing host that refuses connections; Invoke and Fabric have their own -v."""
    inventory = tmp_path / "shop.yml"
    inventory.write_text("lab: shop\nmachines: existing\nhosts: {node1: {address: 127.0.0.1, ssh: {port: 1}}}\n")
    environment = {**os.environ, "CLUSTERLAB_VERBOSE": wanted}
    command = [sys.executable, *words, "--inventory", str(inventory)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert "node1" in done.stdout + done.stderr
    assert bool(re.search(r"^  node1: connect to .*127.0.0.1:1 -> ", done.stderr, re.MULTILINE)) == bool(wanted)


def test_every_verb_is_in_a_group() -> None:
    assert sorted(verb for verbs in by_group().values() for verb in verbs) == sorted(VERBS)


_INTERRUPTED = """
import sys
from clusterlab.cli.main import main

class CtrlC:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[1]:
            raise KeyboardInterrupt

sys.meta_path.insert(0, CtrlC())
main(["clusterlab", "validate"])
"""


@pytest.mark.parametrize("module", ["clusterlab.cli.pipes", "clusterlab.errors", "invoke", "clusterlab.cli.verbs.up"])
def test_ctrl_c_while_modules_are_imported_shows_no_traceback(module: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", _INTERRUPTED, module]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (3, "interrupted: run the same command again.\n")
