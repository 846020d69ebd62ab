"""Reading YAML: what becomes text, and where things stand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clusterlab.model import InvalidFiles
from clusterlab.model.source import Document, Position, read


def document(folder: Path, text: str) -> Document:
    file = folder / "file.yml"
    file.write_text(text)
    return read(file)


WORDS = """
on off yes no y N Yes nUll 1:30 22:22 22:22:22 8080:80 0644 010 0o17 0x1f 0b1 2024-01-01 1e3 1_000
+5 .5 5. .inf .nan = 1.2.3
"""


@pytest.mark.parametrize("text", [*WORDS.split(), "2024-01-01 10:00:00"])
def test_text_stays_text(text: str, tmp_path: Path) -> None:
    assert document(tmp_path, f"key: {text}\n").value == {"key": text}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("False", False),
        ("TRUE", True),
        ("0", 0),
        ("-7", -7),
        ("1.5", 1.5),
        ("", None),
        ("~", None),
        ("null", None),
        ('"true"', "true"),
        ("'7'", "7"),
        ("!!str 7", "7"),
    ],
)
def test_scalars(text: str, value: object, tmp_path: Path) -> None:
    found = document(tmp_path, f"key: {text}\n").value["key"]
    assert (found, type(found)) == (value, type(value))


def test_on_and_others_are_keys(tmp_path: Path) -> None:
    assert document(tmp_path, "{on: a, off: b, yes: c, no: d, 1:30: e}").value == {
        "on": "a", "off": "b", "yes": "c", "no": "d", "1:30": "e",
    }  # fmt: skip


def test_positions_of_every_path(tmp_path: Path) -> None:
    found = document(tmp_path, "a: 1\nb:\n  - x\n  - {c: d,\n     e: [f]}\ntext: |\n  long\n")
    positions: dict[tuple[Any, ...], tuple[int, int]] = {
        (): (1, 1),
        ("a",): (1, 4),
        ("b",): (3, 3),
        ("b", 0): (3, 5),
        ("b", 1): (4, 5),
        ("b", 1, "c"): (4, 9),
        ("b", 1, "e"): (5, 9),
        ("b", 1, "e", 0): (5, 10),
        ("text",): (6, 7),
    }
    assert {path: found.at(path) for path in positions} == positions
    assert set(found.values) == set(positions)
    assert found.at_key(("b",)) == (2, 1)
    assert found.at_key(("b", 1, "e")) == (5, 6)


def test_nearest_position_of_what_is_not_there(tmp_path: Path) -> None:
    found = document(tmp_path, "a:\n  b: {c: 1}\n")
    assert found.at(("a", "b", "x", 3)) == Position(2, 6)
    assert found.at_key(("a", "b", "x")) == Position(2, 3)
    assert found.at_key(("x",)) == Position(1, 1)


def test_aliases_are_copies_at_the_place_of_their_anchor(tmp_path: Path) -> None:
    found = document(tmp_path, "one: &it {x: [1]}\ntwo: *it\n")
    assert found.value == {"one": {"x": [1]}, "two": {"x": [1]}}
    assert found.value["one"] is not found.value["two"]
    assert found.at(("two", "x")) == found.at(("one", "x")) == Position(1, 14)
    assert found.at_key(("two",)) == Position(2, 1)


def test_merge_keys_give_way_to_what_is_there(tmp_path: Path) -> None:
    text = "a: &a {x: 1, y: 1}\nb: &b {<<: *a, y: 2, z: 2}\nc: {<<: *b, z: 3}\nd: {<<: [*b, {y: 9, v: 9}], x: 4}\n"
    value = document(tmp_path, text).value
    assert value["c"] == {"x": 1, "y": 2, "z": 3}
    assert value["d"] == {"x": 4, "y": 2, "z": 2, "v": 9}


def test_a_quoted_merge_sign_is_a_key(tmp_path: Path) -> None:
    assert document(tmp_path, '"<<": 1\n').value == {"<<": 1}


def test_texts_are_as_written(tmp_path: Path) -> None:
    assert document(tmp_path, "a: 1.10\nb: True\n").texts == {("a",): "1.10", ("b",): "True"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: \xff\n", "file.yml:1:4: not UTF-8 text: byte 0xff"),
        (b"a: \x00\n", r"file.yml:1:4: not a text file: character ..x00"),
    ],
)
def test_not_text(content: bytes, message: str, tmp_path: Path) -> None:
    file = tmp_path / "file.yml"
    file.write_bytes(content)
    with pytest.raises(InvalidFiles, match=message):
        read(file)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "lab.yml").touch()
    with pytest.raises(InvalidFiles, match=r"is a folder, not a file\n    Did you mean .*/lab\.yml\?"):
        read(tmp_path)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidFiles, match=r"the file does not exist\n    There is no folder .*/nowhere either"):
        read(tmp_path / "nowhere" / "lab.yml")
    with pytest.raises(InvalidFiles, match=r"the file does not exist\n    There are no \.yml files in .*/empty"):
        read(tmp_path / "empty" / "lab.yml")
