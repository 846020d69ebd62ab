"""Wrong input, as a person types it in an empty folder: each message says what is wrong, where, and what to do."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from clusterlab.cli.main import main

CASES = {
    "check -i office": "error: office: the file does not exist|There are no .yml files in this folder.",
    "validate shop.yml": "error: shop.yml: the file does not exist|Name a stack file, or a play without .yml.",
    "validate --stack shop": "error: --stack shop: no stack file is given|Name the files of one stack, each with -c.",
    "check volumes/nfs --json nowhere/out.json": "error: nowhere/out.json: the folder nowhere does not exist|mkdir -p",
    "run volumes/nfs --html nowhere/out.html": "error: nowhere/out.html: the folder nowhere does not exist|mkdir -p",
    "drill drills/clock --html nowhere/a": "error: nowhere/a: the folder nowhere does not exist|mkdir -p nowhere",
    "nightly volumes/local --json nowhere/a": "error: nowhere/a: the folder nowhere does not exist|mkdir -p nowhere",
    "drill volumes/nfs": "error: volumes/nfs: there is no drill in it|drills:",
    "drill --seed x": "error: --seed must be a number, not 'x'|For example --seed 7.",
    "drill --lasts 0": "error: --lasts must be a number of seconds from 1 to |For example --lasts 60.",
    "down --lab ../shop": "error: --lab: '../shop' is not the name of a lab|`clusterlab labs` lists the labs.",
    "report --lab Shop": "error: --lab: 'Shop' is not the name of a lab|`clusterlab labs` lists the labs.",
    "history --lab a/b": "error: --lab: 'a/b' is not the name of a lab|`clusterlab labs` lists the labs.",
    "init --lab Shop": "error: --lab: 'Shop' is not the name of a lab|Lower-case letters",
    "init --from hosts.ini": "error: --from: hosts.ini: the file does not exist|Name an Ansible inventory, or a host.",
    "learn volumes/nfs --hint --solution": "error: --hint and --solution are mutually exclusive|Give one of them.",
    "learn volumes/nfs networks/host": "error: one lesson at a time|For example `clusterlab learn volumes/nfs`.",
    "nightly --at 02:30": "error: --at has no effect without --install|Add --install, or leave --at out.",
    "nightly --lab shop": "error: --lab has no effect without --uninstall|Add --uninstall, or leave --lab out.",
    "test-cluster --outside example --dry-run": "error: --outside example is not the URL of a page|Begin it with http",
    "fault 'isolat: {host: host2}'": "error: there is no kind of fault 'isolat'|Did you mean 'isolate'",
    "version": "error: unknown verb 'version'|Did you mean '--version'?",
    "help": "error: unknown verb 'help'|Did you mean '--help'?",
    "--nosuch": "error: unknown option --nosuch|`clusterlab --help` lists verbs and options.",
}


@pytest.mark.parametrize("words", CASES)
def test_a_message_says_what_is_wrong_and_what_to_do(
    words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["clusterlab", *shlex.split(words)])
    shown = capsys.readouterr().err
    assert ended.value.code == 2, shown
    for text in CASES[words].split("|"):
        assert text in shown
    assert list(tmp_path.iterdir()) == []


def test_files_that_cannot_be_written_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inventory").write_text("a file")
    with pytest.raises(SystemExit) as ended:
        main(["clusterlab", "init"])
    assert ended.value.code == 3
    shown = capsys.readouterr().err
    assert "error: inventory/default.yml cannot be written: File exists" in shown
    assert "Write to another folder with --to." in shown


def test_a_name_of_an_inventory_that_is_missing_shows_those_that_exist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inventory").mkdir()
    (tmp_path / "inventory/office.yml").write_text("lab: office\n")
    with pytest.raises(SystemExit) as ended:
        main(["clusterlab", "check", "-i", "ofice"])
    assert ended.value.code == 2
    shown = capsys.readouterr().err
    assert "error: inventory/ofice.yml: the file does not exist" in shown
    assert "Did you mean inventory/office.yml?" in shown


def test_a_host_to_read_that_does_not_answer_is_named_as_it_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["clusterlab", "init", "--from", "manager1.invalid", "--to", "own"])
    assert ended.value.code == 3
    shown = capsys.readouterr().err
    assert "error: manager1-invalid: the name manager1.invalid cannot be resolved" in shown
    assert list(tmp_path.iterdir()) == []
