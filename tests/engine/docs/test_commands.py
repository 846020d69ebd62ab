"""The commands of the guides that need a lab are run as they stand, one document after the other, on real engines.

The lab is the default one, in namespaces: what these lack is unsupported.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
import yaml

from clusterlab.cli.verbose import without_flag
from clusterlab.machines import recall_machines
from clusterlab.progress import Silent
from tests.support.documents import ROOT, furnish, needs_no_host, of_clusterlab

pytestmark = [pytest.mark.engine, pytest.mark.long]

LAB = f"guides-{os.getpid()}"
OTHER_MACHINES = {
    "snapshot": "virtual machines",
    "snapshots": "virtual machines",
    "restore": "virtual machines",
    "box": "Vagrant",
    "setup": "the packages of this computer",
    "init": "a folder without an inventory",
    "rehearse": "two inventories",
    "nightly": "an hour",
    "report": "nightly runs",
    "history": "nightly runs",
    "gc": "other labs of this computer",
}
"""What verbs need that this lab is not; each has tests of its own."""
OTHER_WORDS = ("-i", "-f", "PLAY")
"""Words with which a command needs another inventory, somebody to end it, or a name in the place of this."""
Run = Callable[[list[str]], subprocess.CompletedProcess[str]]


def can_run_here(words: list[str]) -> bool:
    """Whether a command can be run on a lab of three hosts with engines, two of them in a Swarm."""
    verb, *rest = without_flag(words)[0][1:]
    foreign = any(word in OTHER_WORDS or "@" in word for word in rest)
    return not (needs_no_host(words) or verb in OTHER_MACHINES or foreign)


BY_DOCUMENT: dict[str, list[list[str]]] = {}
for _place, _words in of_clusterlab():
    if can_run_here(_words):
        BY_DOCUMENT.setdefault(_place.partition(":")[0], []).append(_words)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """The command line in a folder as the guides have it."""
    folder = tmp_path_factory.mktemp("guides")
    furnish(folder)
    (folder / "inventory").mkdir()
    inventory = yaml.safe_load((ROOT / "inventory/default.yml").read_text())
    del inventory["qemu"]
    (folder / "inventory/default.yml").write_text(yaml.safe_dump({**inventory, "lab": LAB, "machines": "namespaces"}))

    def clusterlab(words: list[str]) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "clusterlab", *words]
        environment = {**os.environ, "NFS_SERVER": "192.168.98.1"}
        return subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
        )

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        try:
            yield clusterlab
        finally:
            recall_machines(LAB).down(Silent())


def test_most_commands_that_need_a_lab_are_run() -> None:
    assert sum(map(len, BY_DOCUMENT.values())) >= 30
    assert {"README.md", "tutorial.md", "lessons.md", "faults.md", "drills.md"} <= BY_DOCUMENT.keys()


@pytest.mark.parametrize("document", BY_DOCUMENT)
def test_commands_of_a_document(document: str, run: Run) -> None:
    """0 and 1 are answers: a guide also shows what fails. 2 and 3 mean that the guide is wrong."""
    ready = run(["provision"]) if run(["up"]).returncode == 0 else run(["up"])
    assert ready.returncode == 0, ready.stderr
    for words in BY_DOCUMENT[document]:
        done = run(words[1:])
        assert done.returncode in (0, 1), f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
