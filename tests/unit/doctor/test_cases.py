"""Every code both ways: silent on the recording of a sound lab, and found where the recording is broken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clusterlab.doctor.codes import DIAGNOSES, cl302, cl303, cl313
from clusterlab.doctor.examine import examine
from tests.support.doctor_cases import PROPERTIES, case_files, cluster_of, compare, read_case, reading, sound, told


@pytest.fixture(autouse=True)
def at_any_age(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the recording was made of was just created."""
    for code in (cl302, cl303):
        monkeypatch.setattr(code, "_YOUNG", 0.0)
    monkeypatch.setattr(cl313, "YOUNG", 0.0)


def test_every_code_has_a_case() -> None:
    assert {path.stem for path in case_files()} == set(DIAGNOSES)


def test_sound() -> None:
    diagnosed = examine(cluster_of(sound()))
    assert not [told(one) for one in diagnosed.findings if one.code not in PROPERTIES]
    assert not diagnosed.unknown, diagnosed.unknown
    assert diagnosed.healthy


@pytest.mark.parametrize("path", case_files(), ids=lambda path: path.stem)
def test_broken(path: Path) -> None:
    case = read_case(path)
    compare(path.stem, case, reading(case))


VARIANTS = [(path.stem, one) for path in case_files() for one in read_case(path).get("variants", [])]


@pytest.mark.parametrize(("code", "variant"), VARIANTS, ids=[f"{code}-{at}" for at, (code, _) in enumerate(VARIANTS)])
def test_broken_in_another_way(code: str, variant: dict[str, Any]) -> None:
    compare(code, variant, reading(variant))


SILENT = [(path.stem, one) for path in case_files() for one in read_case(path).get("silent", [])]


@pytest.mark.parametrize(("code", "variant"), SILENT, ids=[f"{code}-{at}" for at, (code, _) in enumerate(SILENT)])
def test_silent(code: str, variant: dict[str, Any]) -> None:
    """What looks like it is not reported."""
    assert not [told(one) for one in reading(variant).findings if one.code == code]
