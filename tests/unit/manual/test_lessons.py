"""Lessons as text, compared with the files in expected/; `CLUSTERLAB_WRITE_EXPECTED=1 pytest` rewrites them."""

from __future__ import annotations

import io
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from clusterlab.checks.kinds import KINDS, http
from clusterlab.manual.lesson import Lesson, lesson
from clusterlab.manual.script import script, shell_names
from clusterlab.model import load_lab
from clusterlab.progress import Silent
from clusterlab.reports.lesson import show_lesson
from clusterlab.reports.lesson_picture import WIDTH, draw

HERE = Path(__file__).parent
PLAYS = sorted(path.stem for path in (HERE / "plays").glob("*.yml"))
LAB = load_lab(HERE / "inventory.yml", PLAYS, HERE / "plays")


def made(play: str) -> Lesson:
    return lesson(LAB, play, "inventory.yml", Silent())


def compare(name: str, text: str) -> None:
    file = HERE / "expected" / name
    if os.environ.get("CLUSTERLAB_WRITE_EXPECTED"):
        file.write_text(text)
    assert text == file.read_text()


@pytest.mark.parametrize("play", PLAYS)
def test_the_picture(play: str) -> None:
    lines = draw(LAB, LAB.plays[play])
    assert all(len(line) <= WIDTH for line in lines)
    compare(f"{play}-picture.txt", "\n".join(lines) + "\n")


@pytest.mark.parametrize("play", PLAYS)
def test_the_lesson_without_colour(play: str) -> None:
    console = Console(file=io.StringIO(), width=WIDTH, color_system=None)
    show_lesson(console, LAB, made(play))
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert "\x1b" not in text
    compare(f"{play}.txt", "\n".join(line.rstrip() for line in text.splitlines()) + "\n")


@pytest.mark.parametrize("play", PLAYS)
def test_the_script(play: str) -> None:
    text = script(made(play))
    compare(f"{play}.sh", text)
    for shell in ("sh", "bash"):
        subprocess.run([shell, "-n"], input=text, text=True, check=True)


def test_a_script_for_one_host_has_its_lines_alone_and_once() -> None:
    text = script(made("networks"), ["host2"])
    assert text.startswith("#host2\n")
    assert "#host1" not in text
    assert text.count("docker run --detach --name plain ") == 1
    assert "--name left" not in text


def test_a_script_that_needs_what_another_host_printed_says_so_first() -> None:
    text = script(made("networks"), ["gw"])
    ended = subprocess.run(["sh"], input=text, text=True, capture_output=True, check=False)
    assert ended.returncode != 0
    assert "is what another host printed" in ended.stderr


def test_every_kind_of_probe_can_be_typed() -> None:
    used = {
        kind for play in LAB.plays.values() for one in play.checks for kind in [one.kind, *(s.kind for s in one.steps)]
    }
    assert set(KINDS) <= used


def test_what_is_made_are_the_commands_of_the_plan() -> None:
    making = [line.command for part in made("files").making for line in part.lines]
    assert making[0].startswith(
        "docker pull example/shell:1 && docker tag example/shell:1 clusterlab/sample/shell:pull-"
    )
    assert [command.split()[1:3] for command in making[2:]] == [["volume", "create"]] * 5 + [["run", "--detach"]] * 3


def test_no_value_of_an_environment_is_shown_and_scripts_say_where_it_is() -> None:
    one = made("environment")
    console = Console(file=io.StringIO(), width=WIDTH, color_system=None)
    show_lesson(console, LAB, one)
    assert isinstance(console.file, io.StringIO)
    text = script(one, ["host1"])
    for value in ("open-sesame", "primary", 'MODE="replica', "another", "yes"):
        assert value not in console.file.getvalue() + text + repr(one)
    ended = subprocess.run(
        ["/bin/sh"], input=text, text=True, capture_output=True, check=False, env={"PATH": "/nowhere"}
    )
    assert "DB_PASSWORD in containers.db.environment of the play environment" in ended.stderr
    assert set(shell_names(one).values()) == {
        "DB_PASSWORD", "DB_PASSWORD_2", "MODE", "MODE_2", "ALLOW_EMPTY", "GREETING",
    }  # fmt: skip


def test_the_password_of_a_page_is_not_shown() -> None:
    page = "http://me:geheim77@web/"
    whole = made("networks")
    part = next(one for one in whole.statements if one.lines)
    line = replace(part.lines[0], wanted=f"{page} answers")
    shown = replace(whole, making=(), statements=(replace(part, lines=(line,)),))
    console = Console(file=io.StringIO(), width=WIDTH, color_system=None)
    show_lesson(console, LAB, shown)
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert "→ http://me:[redacted]@web/ answers" in text
    assert "geheim77" not in text
    probe = http.HttpProbe.model_validate({"on": "host1", "url": page})
    assert http.KIND.expected(probe) == "http://me:[redacted]@web/ answers with status 200"


def test_configs_with_one_file_are_copied_under_names_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "page.txt").write_text("a page\n")
    (tmp_path / "two.yml").write_text("title: two\nconfigs: {one: {file: page.txt}, other: {file: page.txt}}\n")
    making = lesson(load_lab(HERE / "inventory.yml", ["two"], tmp_path), "two", "inventory.yml", Silent()).making
    lines = {part.title: [line.command for line in part.lines] for part in making}
    for name in ("one", "other"):
        (copied,) = lines[f"a copy of config {name} of the Swarm"]
        create, forget = lines[f"config {name} of the Swarm"]
        assert copied.endswith(f"'cat > config-{name}' < {tmp_path / 'page.txt'}")
        assert create.endswith(f" {name} config-{name}")
        assert forget == f"rm config-{name}"
