"""Wheel and sdist are the same wherever and whenever they are built, and the sdist builds the same wheel."""

from __future__ import annotations

import hashlib
import importlib.util
import subprocess
import tarfile
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def dist() -> ModuleType:
    """setup/dist.py, which is not part of a package."""
    spec = importlib.util.spec_from_file_location("dist", ROOT / "setup/dist.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def sums(files: list[Path]) -> list[str]:
    return [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]


def test_both_are_reproducible(dist: ModuleType, tmp_path: Path) -> None:
    if subprocess.run(["git", "-C", str(ROOT), "rev-parse", "HEAD"], capture_output=True, check=False).returncode:
        pytest.skip("this is not a clone, so there is no commit to build")
    first = dist.build(ROOT, tmp_path / "first")
    clone = tmp_path / "clone"
    subprocess.run(
        ["git", "clone", "--quiet", "--shared", str(ROOT), str(clone)], check=True
    )  # other times, other place
    second = dist.build(clone, tmp_path / "second")
    assert [file.name for file in first] == [file.name for file in second]
    assert sums(first) == sums(second)
    with tarfile.open(first[1]) as sdist:
        names = sdist.getnames()
    assert any(name.endswith("clusterlab/shipped/playbooks/volumes/nfs.yml") for name in names)
