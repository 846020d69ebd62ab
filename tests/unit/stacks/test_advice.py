"""Advice: its registry, muting, and its page."""

from __future__ import annotations

from pathlib import Path

import pytest

from clusterlab.stacks import load_stack
from clusterlab.stacks.advice import ADVICE, advise
from clusterlab.stacks.advice.page import page

STACK = """\
services:
  api: {image: one, tmpfs: /tmp, privileged: true, environment: {A: $UNSET}}
"""


def keys(tmp_path: Path, text: str, *mute: str) -> list[str]:
    file = tmp_path / "stack.yml"
    file.write_text(text)
    return sorted(advice.key for advice in advise(load_stack([str(file)], "st", {}), mute))


def test_everything_has_a_reason_and_a_remedy() -> None:
    for kind in ADVICE.values():
        assert kind.when
        assert kind.reason
        assert kind.remedy.endswith((".", "+a", "rw", "NAME"))


def test_the_page_is_current() -> None:
    written = Path("docs/advice.md").read_text()
    assert written == page(), "python -m clusterlab.stacks.advice.page > docs/advice.md"


def test_keys(tmp_path: Path) -> None:
    wanted = ["ignored-key:privileged", "ignored-key:tmpfs", "latest-tag", "unset-variable:UNSET"]
    assert keys(tmp_path, STACK) == wanted


@pytest.mark.parametrize(
    ("mute", "left"),
    [
        ("latest-tag", ["ignored-key:privileged", "ignored-key:tmpfs", "unset-variable:UNSET"]),
        ("ignored-key", ["latest-tag", "unset-variable:UNSET"]),
        ("ignored-key:tmpfs", ["ignored-key:privileged", "latest-tag", "unset-variable:UNSET"]),
    ],
)
def test_muting(mute: str, left: list[str], tmp_path: Path) -> None:
    assert keys(tmp_path, STACK, mute) == left
    assert keys(tmp_path, f"{STACK}x-clusterlab: {{mute: [{mute}]}}\n") == left


def test_a_broken_stack_has_advice_on_its_text_alone(tmp_path: Path) -> None:
    assert keys(tmp_path, f"{STACK}volumes:\n") == ["unset-variable:UNSET"]


def test_a_line_with_an_error_has_no_advice(tmp_path: Path) -> None:
    assert keys(tmp_path, "services:\n  api: {image: '$UNSET'}\n") == []


def test_an_anchor_is_advised_once(tmp_path: Path) -> None:
    assert keys(tmp_path, "x-a: &a {image: one}\nservices: {one: *a, two: *a}\n") == ["latest-tag"]
