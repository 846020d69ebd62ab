"""Test the lowest versions that pyproject.toml allows: `python setup/lowest.py VENV [WORD ...]`.

Words are arguments of pytest, instead of all of tests/unit. The virtual environment is created where it is missing.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_NEEDED = ("pytest", "pytest-xdist", "setuptools")  # of the extra `dev`, for running tests
_BOUND = re.compile(r"([A-Za-z0-9._-]+)\s*>=\s*([0-9.]+)")


def lowest(project: dict[str, object]) -> dict[str, str]:
    """The lowest allowed version of each dependency. Raises ValueError for one without a lower bound."""
    extra: list[str] = project["optional-dependencies"]["dev"]  # type: ignore[index]
    own: list[str] = project["dependencies"]  # type: ignore[assignment]
    found = {}
    for text in [*own, *(one for one in extra if re.split(r"[^\w.-]", one)[0] in _NEEDED)]:
        bound = _BOUND.match(text)
        if bound is None:
            raise ValueError(f"{text} has no lower bound")
        found[bound[1]] = bound[2]
    return found


def main(folder: Path, words: list[str]) -> int:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    exact = [f"{name}=={version}" for name, version in lowest(project).items()]
    python = folder / "bin/python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", *exact], check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", "--editable", str(ROOT)], check=True)
    subprocess.run([python, "-m", "pip", "check"], check=True)
    print("Testing with", ", ".join(exact), flush=True)
    return subprocess.call([python, "-m", "pytest", "--numprocesses", "2", *(words or ["tests/unit"])], cwd=ROOT)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
