"""`clusterlab validate` of stack files: which words are stacks, what is shown and written, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clusterlab.cli.main import main

GOOD = "services: {api: {image: one, networks: [wide]}}\nnetworks: {wide: }\n"
BAD = "services:\n  api: {image: 'One:1', tty: yes}\n"


def run(*words: str) -> int:
    try:
        main(["clusterlab", "validate", *words])
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


@pytest.fixture(autouse=True)
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "stack.yml").write_text(GOOD)
    (folder / "bad.yml").write_text(BAD)
    monkeypatch.chdir(tmp_path)
    return folder


def test_a_file_with_services_is_a_stack(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("shop/stack.yml") == 0
    shown = capsys.readouterr().out
    assert "shop/stack.yml: the stack shop with 1 service is valid." in shown
    assert "[latest-tag]" in shown


def test_advice_can_be_muted(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("shop/stack.yml", "--mute", "latest-tag") == 0
    assert "advice" not in capsys.readouterr().out
    assert run("shop/stack.yml", "--mute", "lastest-tag") == 2
    assert "Did you mean 'latest-tag'" in capsys.readouterr().err


def test_a_file_cannot_mute_what_does_not_exist(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (shop / "stack.yml").write_text(f"{GOOD}x-clusterlab: {{mute: [latest-tag, lastest-tag]}}\n")
    assert run("shop/stack.yml") == 2
    shown = capsys.readouterr().err
    assert "shop/stack.yml:3:35: x-clusterlab.mute: there is no advice 'lastest-tag'" in shown
    assert "Did you mean 'latest-tag'" in shown


def test_all_errors_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("shop/bad.yml") == 2
    shown = capsys.readouterr().err
    assert "shop/bad.yml:2:25: services.api.tty: must be true or false, not 'yes'" in shown
    assert "shop/bad.yml:2:9: services.api.image: One:1 is not the name of an image" in shown


def test_several_files_are_one_stack(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (shop / "later.yml").write_text("services: {api: {image: 'one:2'}, db: {image: 'two:1'}}\n")
    assert run("-c", "shop/stack.yml", "-c", "shop/later.yml", "--stack", "prod") == 0
    assert capsys.readouterr().out == "shop/stack.yml, shop/later.yml: the stack prod with 2 services is valid.\n"


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("shop/bad.yml", "--json", "found.json") == 2
    found = json.loads(Path("found.json").read_text())
    assert [error["line"] for error in found["errors"]] == [2, 2]
    assert set(found["errors"][0]) == {"file", "line", "column", "message", "remedy"}
    capsys.readouterr()
    assert run("shop/stack.yml", "--json", "-") == 0
    written = json.loads(capsys.readouterr().out)
    assert written["errors"] == []
    assert [(advice["key"], advice["file"], advice["line"]) for advice in written["advice"]] == [
        ("latest-tag", "shop/stack.yml", 1)
    ]
