"""Every error that Vagrant can have: what it printed, and the message with the remedy that a person gets."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from clusterlab.machines.vagrant.errors import explain
from clusterlab.machines.vagrant.requirements import has_virtualisation

CASES = yaml.safe_load((Path(__file__).parent / "errors.yml").read_text())
EXPECTED = Path(__file__).parent / "errors.txt"


def messages() -> str:
    blocks = []
    for case in CASES:
        error = explain(case["command"], case.get("class", ""), case["says"])
        blocks.append(f"# {case['title']}\n{error.message}\n    {error.remedy}\n")
    return "\n".join(blocks)


def test_messages() -> None:
    """CLUSTERLAB_REGENERATE=1 rewrites errors.txt: read the difference before you keep it."""
    if os.environ.get("CLUSTERLAB_REGENERATE"):
        EXPECTED.write_text(messages())
    assert messages() == EXPECTED.read_text()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["title"])
def test_what_vagrant_said_is_kept(case: dict[str, str]) -> None:
    error = explain(case["command"], case.get("class", ""), case["says"])
    assert error.detail == case["says"]
    assert error.exit_code == 3


def test_virtualisation() -> None:
    assert has_virtualisation("model name : X\nflags\t\t: fpu vme vmx ssse3\n")
    assert has_virtualisation("flags\t\t: fpu svm\n")
    assert not has_virtualisation("flags\t\t: fpu vme ssse3\nvmx flags : vnmi\n")
