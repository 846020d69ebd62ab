"""Kinds of this package and of others, found in one place."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from clusterlab.errors import UsageError
from clusterlab.registry import Registry

FAMILY = "clusterlab.colours"


@dataclass(frozen=True)
class Colour:
    name: str


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Install a package with one entry point, as pip would."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def install(point: str, code: str) -> None:
        (tmp_path / "palette.py").write_text(code)
        info = tmp_path / "palette-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: palette\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{FAMILY}]\n{point}\n")
        monkeypatch.delitem(sys.modules, "palette", raising=False)

    return install


def registry() -> Registry[Colour]:
    return Registry(FAMILY, Colour, [Colour("red"), Colour("blue")])


def test_own_kinds_keep_their_order() -> None:
    assert list(registry()) == ["red", "blue"]


def test_another_package_adds_a_kind(package: Callable[[str, str], None]) -> None:
    package("green = palette:GREEN", f"from {__name__} import Colour\nGREEN = Colour('green')\n")
    kinds = registry()
    assert list(kinds) == ["red", "blue", "green"]
    assert kinds["green"] == Colour("green")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("GREEN = 3", "entry point clusterlab.colours: green = palette:GREEN is int, not Colour"),
        ("1 / 0", "green = palette:GREEN cannot be loaded: ZeroDivisionError: division by zero"),
        (f"from {__name__} import Colour\nGREEN = Colour('red')", "green = palette:GREEN: the name 'red' is taken"),
    ],
)
def test_what_another_package_does_wrong_is_reported(
    package: Callable[[str, str], None], code: str, message: str
) -> None:
    package("green = palette:GREEN", code)
    with pytest.raises(UsageError) as caught:
        list(registry())
    assert message in caught.value.message
