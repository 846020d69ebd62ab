"""The documentation is true: its site builds without a broken link, its commands exist, its code is valid."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from clusterlab.cli.main import collection
from clusterlab.cli.program import words_as_flags
from clusterlab.cli.verbose import without_flag
from clusterlab.reference import PAGES
from tests.support.documents import LESSONS, ROOT, blocks, commands, furnish, needs_no_host, of_clusterlab

VERBS = {str(context.name): context for context in collection().to_contexts()}
OURS = of_clusterlab()


@pytest.mark.parametrize(("place", "words"), OURS, ids=[f"{place} {' '.join(words)}" for place, words in OURS])
def test_every_command_is_one_that_clusterlab_understands(place: str, words: list[str]) -> None:
    flags = words_as_flags(without_flag(words)[0][1:], VERBS)
    plays = [value for flag, value in pairwise(flags) if flag == "--play"]
    for play in plays:
        assert play in LESSONS or play.endswith(".yml") or play == "-" or play.isupper() or play == "host1", play


RUNNABLE = {" ".join(words): words for _, words in OURS if needs_no_host(words)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the guides have it: a person's own files, a stack file, and the lessons."""
    folder = tmp_path_factory.mktemp("guides")
    furnish(folder)
    (folder / "inventory").symlink_to(ROOT / "inventory")
    (folder / "override.yml").write_text("services: {web: {environment: {MODE: test}}}\n")
    return folder


def test_commands_of_the_guides_are_run_as_they_stand(folder: Path) -> None:
    """One process for all: what the commands import is most of their time."""
    assert len(RUNNABLE) > 8
    environment = {
        **os.environ,
        "XDG_STATE_HOME": str(folder / "state"),
        "NFS_SERVER": "192.168.98.1",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-c", _RUN_ALL, *map(shlex.join, RUNNABLE.values())]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=180)
    assert (done.returncode, done.stderr) == (0, "")


_RUN_ALL = """
import contextlib, io, shlex, sys
from clusterlab.cli.main import main
for text in sys.argv[1:]:
    shown, said, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(shown), contextlib.redirect_stderr(said):
        try:
            main(shlex.split(text))
        except SystemExit as end:
            code = end.code or 0
    if code or not shown.getvalue():
        print(text, code, said.getvalue() or "nothing is shown", file=sys.stderr)
"""


def test_every_target_of_make_exists() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for place, words in commands():
        if words[0] == "make":
            assert set(words[1:]) <= targets, place


@pytest.mark.parametrize(("place", "text"), list(blocks("python")))
def test_python_compiles(place: str, text: str) -> None:
    compile(text, place, "exec")


@pytest.mark.parametrize(("place", "text"), list(blocks("yaml")))
def test_yaml_is_valid(place: str, text: str) -> None:
    assert yaml.safe_load(text), place


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_the_reference_has_its_tables(name: str) -> None:
    page = PAGES[name]()
    assert page.startswith("# ")
    assert page.count("|---|---|") > 1


def test_the_site_builds_without_a_broken_link_and_without_network(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs", reason="mkdocs-material is not installed here; `make setup-test` installs it")
    environment = {
        **os.environ,
        "NO_MKDOCS_2_WARNING": "1",
        "http_proxy": "http://127.0.0.1:9",
        "https_proxy": "http://127.0.0.1:9",
    }
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    for page in ("index.html", "reference/commands.html", "changelog.html"):
        assert (tmp_path / "site" / page).is_file()
    fetched = re.findall(
        r'(?:src|href)="(https?://[^"]+\.(?:css|js|woff2?))"', (tmp_path / "site/index.html").read_text()
    )
    assert fetched == []
