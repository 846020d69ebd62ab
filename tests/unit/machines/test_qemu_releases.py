"""Virtual machines of several Debian releases in one lab, without machines."""

from __future__ import annotations

from pathlib import Path

import pytest

from clusterlab.errors import ClusterlabError
from clusterlab.machines.qemu.files import LabFiles
from clusterlab.machines.qemu.up import bring_up
from clusterlab.model.inventory import Inventory
from clusterlab.progress import Silent


def files(**releases: str) -> LabFiles:
    """A lab with hosts a, b and c, of which some name a release."""
    hosts = {name: {"address": f"192.168.98.{n}"} for n, name in enumerate("abc", start=1)}
    for name, release in releases.items():
        hosts[name]["release"] = release
    return LabFiles("mixed-unit", Inventory.model_validate({"lab": "mixed-unit", "hosts": hosts}), Path())


@pytest.fixture(autouse=True)
def _state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def test_each_machine_starts_from_the_image_of_its_release() -> None:
    mixed, plain = files(b="bookworm"), files()
    assert mixed.spec("a").image == mixed.image("c") == plain.image("b")
    assert mixed.spec("b").image == mixed.image("b") != mixed.image("a")
    assert files(a="trixie").image("a") == plain.image("a")  # that of qemu.release, which says so


def test_a_machine_that_was_created_keeps_its_release() -> None:
    before = files(b="bookworm")
    before.machines["b"].folder.mkdir(parents=True)
    (before.machines["b"].folder / "ready").touch()
    before.write_record({})
    with pytest.raises(ClusterlabError, match=r"b was created with the release bookworm, .* now says forky") as raised:
        bring_up(files(b="forky"), False, Silent())
    assert raised.value.remedy == "recreate it: clusterlab down, then clusterlab up"
