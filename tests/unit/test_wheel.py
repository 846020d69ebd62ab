"""A wheel has every file of the packages: an installed clusterlab builds images like one from a checkout."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).parents[2]


def test_it_has_every_file_of_the_tree(tmp_path: Path) -> None:
    source, wheels = tmp_path / "source", tmp_path / "wheels"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "clusterlab", source / "clusterlab", ignore=ignored)  # a build writes beside its sources
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    done = subprocess.run(
        [*command, "--wheel-dir", str(wheels), str(source)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = wheels.glob("*.whl")
    with ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if name.startswith("clusterlab/")}
    tree = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "clusterlab").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert packed == tree
