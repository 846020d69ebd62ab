"""The pictures show what today's clusterlab shows of the recorded runs; `make pictures` draws them again."""

from __future__ import annotations

import html
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[3]


def pictures() -> ModuleType:
    """docs/pictures.py, which is not part of a package."""
    spec = importlib.util.spec_from_file_location("pictures", ROOT / "docs/pictures.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PICTURES = pictures()


def text_of(svg: str) -> str:
    """What a picture says; how it is drawn is up to the version of Rich."""
    return html.unescape(re.sub(r"<style>.*?</style>|<[^>]+>", "", svg, flags=re.DOTALL)).replace("\xa0", " ")


@pytest.mark.parametrize("name", list(PICTURES.COMMANDS))
def test_a_picture_is_what_is_printed_now(name: str) -> None:
    shown = text_of((PICTURES.FOLDER / f"{name}.svg").read_text(encoding="utf-8"))
    assert shown == text_of(PICTURES.drawn(name))
    assert f"$ {PICTURES.COMMANDS[name][-1]}" in shown


@pytest.mark.parametrize("name", list(PICTURES.PAGES))
def test_a_page_says_what_it_said_when_it_was_photographed(name: str) -> None:
    said = (PICTURES.FOLDER / f"{name}-page.txt").read_text(encoding="utf-8")
    assert said.split() == PICTURES.words_on(PICTURES.page_of(name))
    assert (PICTURES.FOLDER / f"{name}-page.png").stat().st_size > 20_000


def test_each_picture_is_shown_somewhere() -> None:
    documents = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    text = "".join(one.read_text(encoding="utf-8") for one in documents)
    for picture in (*PICTURES.FOLDER.glob("*.svg"), *PICTURES.FOLDER.glob("*.png")):
        assert f"pictures/{picture.name}" in text
