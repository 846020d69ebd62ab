"""Whose an object is after it was created, updated or adopted."""

from __future__ import annotations

from pathlib import Path

import pytest

from clusterlab.resources.base import LABEL_LAB
from clusterlab.resources.ownership import LABEL_BY, LABEL_OWNER, created_here, with_owner

OF_ADA = {LABEL_OWNER: "ada's", LABEL_BY: "ada@laptop"}


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def test_a_colleagues_object_of_the_same_lab_stays_the_colleagues() -> None:
    labels = with_owner({LABEL_LAB: "shop", "a": "b"}, {LABEL_LAB: "shop", **OF_ADA})
    assert labels == {LABEL_LAB: "shop", "a": "b", **OF_ADA}


@pytest.mark.parametrize("found", [{LABEL_LAB: "adas", **OF_ADA}, OF_ADA, {}])
def test_what_was_another_labs_becomes_the_adopters(found: dict[str, str]) -> None:
    labels = with_owner({LABEL_LAB: "shop"}, found)
    assert created_here(labels)
    assert labels[LABEL_BY] != OF_ADA[LABEL_BY]
