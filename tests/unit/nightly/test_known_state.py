from __future__ import annotations

from pathlib import Path

import pytest

from clusterlab.errors import UsageError
from clusterlab.machines import MachineKind
from clusterlab.machines.kinds import EXISTING, NAMESPACES, QEMU
from clusterlab.nightly.known_state import Start, check_start, parse_start, to_known_state
from clusterlab.progress import Progress, Silent


class Saved:
    """Snapshots, as machines that have them would show them."""

    def __init__(self) -> None:
        self.restored: list[str] = []

    def names(self) -> list[str]:
        return ["warm"]

    def restore(self, name: str, progress: Progress) -> None:
        self.restored.append(name)


class Plain:
    """Machines that only note what is asked of them."""

    def __init__(self, kind: MachineKind) -> None:
        self.kind = kind
        self.asked: list[str] = []

    def up(self, progress: Progress, keep: bool = False) -> None:
        self.asked.append("up")

    def down(self, progress: Progress) -> None:
        self.asked.append("down")

    def collect(self, folder: Path, progress: Progress) -> None: ...


class WithSnapshots(Plain):
    def __init__(self) -> None:
        super().__init__(QEMU)
        self.snapshots = Saved()


def test_what_is_not_said_follows_from_the_machines() -> None:
    assert parse_start("", QEMU) == Start("fresh")
    assert parse_start("", EXISTING) == Start("apply")


def test_what_can_be_said() -> None:
    assert parse_start("fresh", EXISTING) == Start("fresh")
    assert parse_start("restore:warm", QEMU) == Start("restore", "warm")


@pytest.mark.parametrize("text", ["new", "restore", "restore:", "fresh:x"])
def test_what_cannot(text: str) -> None:
    with pytest.raises(UsageError):
        parse_start(text, QEMU)


def test_existing_machines_are_never_recreated() -> None:
    for start in (Start("fresh"), Start("restore", "warm")):
        with pytest.raises(UsageError, match="existing machines"):
            check_start(start, Plain(EXISTING))  # type: ignore[arg-type]


def test_machines_without_snapshots_say_so() -> None:
    with pytest.raises(UsageError, match="namespaces machines have no snapshots"):
        check_start(Start("restore", "warm"), Plain(NAMESPACES))  # type: ignore[arg-type]


def test_an_unknown_snapshot() -> None:
    check_start(Start("restore", "warm"), WithSnapshots())  # type: ignore[arg-type]
    with pytest.raises(UsageError) as raised:
        check_start(Start("restore", "worm"), WithSnapshots())  # type: ignore[arg-type]
    assert "Did you mean 'warm'?" in raised.value.remedy


def test_each_way_there() -> None:
    fresh, kept, existing, saved = Plain(QEMU), Plain(QEMU), Plain(EXISTING), WithSnapshots()
    to_known_state(Start("fresh"), fresh, Silent())  # type: ignore[arg-type]
    to_known_state(Start("apply"), kept, Silent())  # type: ignore[arg-type]
    to_known_state(Start("apply"), existing, Silent())  # type: ignore[arg-type]
    to_known_state(Start("restore", "warm"), saved, Silent())  # type: ignore[arg-type]
    assert (fresh.asked, kept.asked, existing.asked) == (["down", "up"], ["up"], [])
    assert saved.snapshots.restored == ["warm"]
