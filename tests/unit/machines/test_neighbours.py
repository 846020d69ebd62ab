"""The limits of the kernel's neighbour table: raised for large labs, and restored, whatever was killed meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from clusterlab.machines.namespaces import neighbours


@dataclass
class Table:
    """A folder with the limits of a kernel, and the record beside it."""

    folder: Path

    @property
    def limits(self) -> list[int]:
        return [int((self.folder / name).read_text()) for name in ("gc_thresh2", "gc_thresh3")]

    @limits.setter
    def limits(self, values: tuple[int, int]) -> None:
        for name, value in zip(("gc_thresh2", "gc_thresh3"), values, strict=True):
            (self.folder / name).write_text(f"{value}\n")

    def lab(self, name: str) -> Path:
        lab = self.folder / name
        lab.mkdir(exist_ok=True)
        return lab

    def up(self, name: str, hosts: int) -> str:
        return neighbours.make_room(self.lab(name), hosts, self.folder, self.folder / "run/record.json")

    def down(self, name: str) -> None:
        self.lab(name).rmdir()
        neighbours.give_back(self.folder / name, self.folder, self.folder / "run/record.json")


@pytest.fixture
def table(tmp_path: Path) -> Table:
    made = Table(tmp_path)
    made.limits = (512, 1024)
    return made


def test_a_small_lab_changes_nothing(table: Table) -> None:
    assert table.up("small", 3) == ""
    assert table.limits == [512, 1024]


def test_a_large_lab_gets_room_and_gives_it_back(table: Table) -> None:
    assert table.up("large", 40) == ""
    assert table.limits == [6400, 12800]
    assert table.up("large", 40) == ""
    table.down("large")
    assert table.limits == [512, 1024]


def test_several_labs_share_the_table_in_any_order(table: Table) -> None:
    table.up("one", 20)
    table.up("other", 20)
    assert table.limits == [3200, 6400]
    table.down("one")
    assert table.limits == [1600, 3200]
    table.down("other")
    assert table.limits == [512, 1024]


def test_a_lab_that_is_gone_without_down_is_forgotten(table: Table) -> None:
    table.up("killed", 40)
    table.lab("killed").rmdir()
    table.up("small", 3)
    assert table.limits == [512, 1024]


def test_what_somebody_else_sets_meanwhile_is_kept(table: Table) -> None:
    table.up("large", 20)
    table.limits = (10000, 20000)
    table.down("large")
    assert table.limits == [10000, 20000]


def test_limits_that_were_only_partly_set_when_it_was_killed_are_restored(table: Table) -> None:
    table.up("large", 20)
    table.limits = (512, table.limits[1])
    table.down("large")
    assert table.limits == [512, 1024]


def test_what_to_set_is_said_where_it_is_refused(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    write = Path.write_text

    def refuse(path: Path, *words: str, **more: str) -> int:
        if path.name.startswith("gc_"):
            raise OSError(30, "Read-only file system")
        return write(path, *words, **more)

    monkeypatch.setattr(Path, "write_text", refuse)
    said = table.up("large", 20)
    assert said.endswith("sysctl -w net.ipv4.neigh.default.gc_thresh2=1600 net.ipv4.neigh.default.gc_thresh3=3200")
    assert "Read-only file system" in said
    monkeypatch.undo()
    table.down("large")
    assert table.limits == [512, 1024]
