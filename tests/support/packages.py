"""Packages of tests/examples, installed as pip installs them, without a network."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Installed:
    """A folder with installed packages, which `run` sees beside this interpreter's own."""

    folder: Path

    def run(self, *arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `clusterlab ARGUMENTS` in `cwd`, as somebody who has these packages."""
        return subprocess.run(
            [sys.executable, "-m", "clusterlab", *arguments],
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": f"{self.folder}:{ROOT}", "NO_COLOR": "1", **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )


def install(example: str, folder: Path) -> Installed:
    """Install a package of tests/examples into `folder`."""
    source = folder / "source"
    target = folder / "installed"
    subprocess.run(["cp", "-r", str(EXAMPLES / example), str(source)], check=True)  # the build writes beside it
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--target", str(target), str(source)], check=True, capture_output=True, timeout=120)
    return Installed(target)
