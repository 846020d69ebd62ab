"""--dry-run: what would be done with machines is shown, and nothing is created, locked or remembered."""

from __future__ import annotations

from pathlib import Path

import pytest

from clusterlab.cli.main import main

INVENTORY = "lab: shop\nmachines: qemu\nhosts:\n  web1: {address: 192.168.98.11, roles: [docker]}\n"
PLAY = "title: One check\nchecks:\n  - title: the kernel is Linux\n    command: {on: web1, run: uname, stdout: Linux}\n"


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
            ["would be created", "known once they are running", "one: 1 statements would be checked"],
        ),
    ],
)
def test_nothing_is_created(verb: str, shown: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["clusterlab", verb, "--dry-run"])
    text = " ".join(capsys.readouterr().out.split())
    for words in shown:
        assert words in text
    assert not (tmp_path / "state").exists()
