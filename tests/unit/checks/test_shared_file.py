"""What shared_file runs at its places, here folders of this computer, and what follows from what readers print."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from clusterlab.checks.finding import outcome_of
from clusterlab.checks.kinds.shared_file import APPEND, KIND, SharedFileProbe
from clusterlab.checks.place import Place
from clusterlab.checks.shared_pairs import cell, matrix
from clusterlab.remote.completed import Completed
from clusterlab.results import Outcome


class Folders:
    """Places that share a folder of this computer, but for those that are `apart`."""

    def __init__(self, folder: Path, apart: Sequence[str] = ()) -> None:
        self.folder = folder
        self.apart = apart
        self.commands: Counter[str] = Counter()

    def of(self, probe: SharedFileProbe) -> list[Place]:
        return [Place(name) for name in probe.on]

    def has(self, place: Place, tool: str) -> bool:
        raise AssertionError(f"{place}: a look-up of {tool} is one command more")

    def tool(self, place: Place, *wanted: str) -> str:
        return wanted[0]

    def run(self, place: Place, argv: Sequence[str], *, timeout: float = 60.0) -> Completed:
        self.commands[place.host] += 1
        own = f"/{place.host}/" if place.host in self.apart else "/shared/"
        there = [word.replace("/data/", f"{self.folder}{own}") for word in argv]
        ran = subprocess.run(there, capture_output=True, text=True, check=False, timeout=timeout)
        said = ran.stderr.replace(f"{self.folder}{own}", "/data/")
        return Completed(place.host, place.typed(argv), ran.returncode, ran.stdout, said, 0.0)


def asked(
    tmp_path: Path, hosts: Sequence[str], apart: Sequence[str] = (), appends: int = 3
) -> tuple[Folders, list[str]]:
    """The places, and what was found there, beginning with the outcome of all."""
    for name in ("shared", *apart):
        (tmp_path / name).mkdir(exist_ok=True)
    places = Folders(tmp_path, apart)
    probe = SharedFileProbe.model_validate({"on": list(hosts), "path": "/data/file", "appends": appends})
    findings = KIND.ask(probe, places)  # type: ignore[arg-type]
    assert not [file for file in tmp_path.rglob("*") if file.is_file()]
    return places, [outcome_of(findings).value, *(one.evidence.found for one in findings)]


def test_each_place_runs_one_command_for_each_step_however_many_there_are(tmp_path: Path) -> None:
    for number in 2, 7:
        hosts = [f"host{index}" for index in range(number)]
        places, found = asked(tmp_path, hosts)
        pairs = number * (number - 1)
        lines = [f"all {3 * number} lines, in order"] * number
        assert found == ["pass", f"{pairs} of {pairs} pairs read what was written", *lines]
        assert places.commands == Counter({**dict.fromkeys(hosts, 4), "host0": 5})
    places, _ = asked(tmp_path, hosts, appends=0)
    assert places.commands == Counter({**dict.fromkeys(hosts, 2), "host0": 3})


def test_a_place_with_a_folder_of_its_own_is_named_and_no_other(tmp_path: Path) -> None:
    _, (outcome, found) = asked(tmp_path, ["a", "b", "c"], apart=["b"])
    assert outcome == Outcome.FAIL.value
    assert found == "; ".join(f"{pair}: no such file" for pair in ("a -> b", "b -> a", "b -> c", "c -> b"))


def test_a_place_that_cannot_write_is_found_and_its_links_alone_are_unknown(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    places = Folders(tmp_path, apart=["b"])  # whose folder does not exist
    probe = SharedFileProbe.model_validate({"on": ["a", "b", "c"], "path": "/data/file"})
    (found,) = KIND.ask(probe, places)  # type: ignore[arg-type]
    assert (found.outcome, found.evidence.place) == (Outcome.FAIL, "b")
    assert [(link.source, link.target, link.seen) for link in found.evidence.links] == [
        ("b", "a", None),
        ("b", "c", None),
    ]


FILES = {"b": "id b", "c": "id c", "file": "/data/file.id.0001", "other": "/data/file.id.0002"}


@pytest.mark.parametrize(
    ("stdout", "stderr", "exit", "found"),
    [
        ("{b}\n{c}\n", "", 0, "ok"),
        ("{c}\n", "cat: can't open '{file}': No such file or directory\n", 1, "no such file"),
        ("{c}\n", "cat: {file}: Permission denied\n", 1, "cat: {file}: Permission denied"),
        ("{c}\n", "", 0, "reads nothing that it wrote"),
        ("{c}\n{b} and more\n", "", 0, "reads nothing that it wrote"),
        ("{b}\n", "cat: {other}: Stale file handle\n", 1, "ok"),
        ("", "cat: {other}: Stale file handle\n", 1, "reads nothing that it wrote"),
        ("", "sh: cat: not found\n", 127, "sh: cat: not found"),
        ("", "", 3, "exit code 3"),
    ],
)
def test_what_a_reader_prints_of_one_writer(stdout: str, stderr: str, exit: int, found: str) -> None:
    completed = Completed("a", "cat", exit, stdout.format(**FILES), stderr.format(**FILES), 0.0)
    assert cell("/data/file.id", FILES["file"], FILES["b"], completed) == found.format(**FILES)


def test_writers_are_rows_and_readers_are_columns() -> None:
    cells = {("a", "b"): "ok", ("b", "a"): "no such file"}
    assert matrix(["a", "b"], cells).splitlines() == [
        "writer \\ reader  a             b",
        "a                -             ok",
        "b                no such file  -",
    ]


SWAPPING = """#!/bin/sh
[ ! -L "$PLACE" ] || mv "$HELD" "$PLACE"
exec /usr/bin/stat "$@"
"""


@pytest.mark.parametrize("dangling", [False, True])
@pytest.mark.parametrize("swapped", [False, True])
def test_a_link_is_not_followed_though_it_takes_the_place_of_the_file_meanwhile(
    tmp_path: Path, swapped: bool, dangling: bool
) -> None:
    """On a host it may lead out of the container, and whoever follows it is root."""
    place, held, theirs = (tmp_path / name for name in ("file", "held", "theirs"))
    held.write_text("one\n")
    if not dangling:
        theirs.write_text("mine\n")
    place.symlink_to(theirs)
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "stat"
    program.write_text(SWAPPING if swapped else '#!/bin/sh\nexec /usr/bin/stat "$@"\n')
    program.chmod(0o755)
    environment = {"PATH": f"{tmp_path}/bin:/usr/bin:/bin", "PLACE": str(place), "HELD": str(held)}
    argv = ["sh", "-c", APPEND, "sh", str(place), "one", "1"]
    refused = subprocess.run(argv, capture_output=True, text=True, check=False, env=environment)
    assert (refused.returncode, refused.stderr) == (1, f"{place} is not a file\n")
    assert theirs.exists() is not dangling
    assert dangling or theirs.read_text() == "mine\n"
