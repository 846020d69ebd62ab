"""`logs`: the plays whose values are not shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from clusterlab.cli.verbs.logs import _lab
from clusterlab.errors import UsageError

INVENTORY = """\
lab: mine
machines: namespaces
network: {subnet: 10.66.0.0/24}
hosts: {host1: {address: 10.66.0.11, roles: [docker]}}
"""


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "inventory").mkdir()
    (tmp_path / "inventory/default.yml").write_text(INVENTORY)
    monkeypatch.chdir(tmp_path)


def test_a_folder_of_plays_that_does_not_exist_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="there is no folder playboks") as caught:
        _lab("", "playboks")
    assert caught.value.remedy == "Name the folder with the plays, or leave --playbooks out."


def test_without_the_default_folder_there_are_no_plays() -> None:
    lab = _lab("", "playbooks")
    assert (lab.name, lab.plays) == ("mine", {})
