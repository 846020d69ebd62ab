"""--dry-run: what would be done with machines is shown, and nothing is created, locked or remembered."""

from __future__ import annotations

from pathlib import Path

import pytest

from clusterlab.cli.main import collection, main

INVENTORY = """\
lab: shop
machines: qemu
hosts:
  web1: {address: 192.168.98.11, roles: [docker, swarm_manager]}
  web2: {address: 192.168.98.12, roles: [docker, swarm_worker]}
images: {shell: {build: busybox}}
"""
PLAY = """\
title: Two checks
containers: {web: {host: web1, image: shell}}
checks:
  - title: the kernel is Linux
    command: {on: web1, run: uname, stdout: Linux}
  - title: web1 is stopped for a while
    steps:
      - do: {stop: web}
      - do: {start: web}
      - command: {in: web, run: uname, stdout: Linux}
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name, text in {"inventory/default.yml": INVENTORY, "playbooks/one.yml": PLAY}.items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)


@pytest.mark.parametrize(
    ("verb", "shown"),
    [
        ("up", ["web1", "absent", "would be created"]),
        ("down", ["web1", "absent"]),
        (
            "run",
            ["would be created", "known once they are running", "one: 2 statements would be checked"],
        ),
        ("check", ["one", "the kernel is Linux", "web1 is stopped for a while (stop, start; undone at its end)"]),
        ("learn one", ["would be created", "known once they are running"]),
        ("snapshot before", ["web1", "absent", "a snapshot needs all machines running"]),
        (
            "nightly",
            [
                "lab shop (qemu), 1 plays remove the machines, and create them again",
                "prove 2 statements apply again",
                "remove the machines, unless a statement fails",
            ],
        ),
        ("nightly --start apply --keep never --drills", ["take the machines as they are", "carry out 0 drills"]),
        ("box -i vagrant", ["clusterlab/trixie would be built in"]),
        ("test-cluster", ["for the time of the test:", "the gossip port"]),
    ],
)
def test_nothing_is_created(verb: str, shown: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["clusterlab", *verb.split(), "--dry-run"])
    text = " ".join(capsys.readouterr().out.split())
    for words in shown:
        assert words in text
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("restore before", "lab shop has no snapshot 'before'"),
        ("snapshot before --remove", "lab shop has no snapshot 'before'"),
        ("snapshot ../x", "'../x'"),
        ("nightly --install", "--dry-run shows a run, not its schedule"),
        ("nightly --start restore:before", "there is no snapshot 'before'"),
    ],
)
def test_what_would_be_refused_is_refused(words: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["clusterlab", *words.split(), "--dry-run"])
    assert ended.value.code == 2
    assert message in " ".join(capsys.readouterr().err.split())


READING = {
    *("status", "ssh", "ssh-config", "snapshots", "logs", "collect", "plan", "doctor", "faults", "explain", "history"),
    *("report", "labs", "validate", "schema"),
}
"""Verbs that change nothing; `ssh` is its user's own business, and `collect` writes to the folder that it is given."""


def test_every_verb_that_changes_something_has_a_dry_run() -> None:
    contexts = {str(context.name): context for context in collection().to_contexts()}
    without = {name for name, context in contexts.items() if "dry_run" not in context.args}
    assert without - READING == {"gc"}, "`gc` shows what is left over, and removes it with --remove alone"
