"""The cache of built things: made once, whole or not at all, and nothing of an interrupted build stays."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from clusterlab.build.cache import artefact
from clusterlab.errors import ClusterlabError
from clusterlab.progress import Silent

BUILD_AND_DIE = """
import os, signal
from clusterlab.build.cache import artefact
from clusterlab.progress import Silent
def make(path):
    path.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
artefact("thing", [{material!r}], ".txt", make, Silent())
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "clusterlab" / "thing"


def test_it_is_made_once_and_named_by_what_it_is_made_from(cache: Path) -> None:
    made = []

    def make(path: Path) -> None:
        made.append(path)
        path.write_text("whole")

    first = artefact("thing", ["a", "b"], ".txt", make, Silent())
    assert artefact("thing", ["a", "b"], ".txt", make, Silent()) == first
    assert artefact("thing", ["ab"], ".txt", make, Silent()) != first
    assert len(made) == 2
    assert sorted(path.suffix for path in cache.iterdir()) == [".txt", ".txt"]


def test_what_failed_leaves_nothing(cache: Path) -> None:
    def make(path: Path) -> None:
        path.write_text("half")
        raise ClusterlabError("the disk is full")

    with pytest.raises(ClusterlabError, match="the disk is full"):
        artefact("thing", ["a"], ".txt", make, Silent())
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("material", ["a", "another"])
def test_a_killed_build_is_never_used_and_removed_by_the_next(cache: Path, material: str) -> None:
    killed = subprocess.run([sys.executable, "-c", BUILD_AND_DIE.format(material=material)], check=False)
    assert killed.returncode == -9
    assert any(path.suffix == ".partial" for path in cache.iterdir())

    made = artefact("thing", ["a"], ".txt", lambda path: _write(path, "whole"), Silent())
    assert made.read_text() == "whole"
    assert list(cache.iterdir()) == [made]


def test_two_at_once_make_it_once(cache: Path) -> None:
    made, begun = [], threading.Event()
    go_on = threading.Event()

    def make(path: Path) -> None:
        begun.set()
        assert go_on.wait(10)
        made.append(path)
        path.write_text("whole")

    threads = [threading.Thread(target=artefact, args=("thing", ["a"], ".txt", make, Silent())) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert begun.wait(10)
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert len(made) == 1
    assert [path.suffix for path in cache.iterdir()] == [".txt"]


def _write(path: Path, text: str) -> None:
    path.write_text(text)
