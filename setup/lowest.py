"""Test the lowest versions that pyproject.toml allows: `python setup/lowest.py VENV [WORD ...]`.

Words are arguments of pytest, instead of all of tests/unit. The virtual environment is created where it is missing.
`python setup/lowest.py --requirements` prints what running tests/unit needs, as pyproject.toml has it.
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


def requirements(project: dict[str, object]) -> list[str]:
    """The dependencies, and what runs the tests."""
    extra: list[str] = project["optional-dependencies"]["dev"]  # type: ignore[index]
    own: list[str] = project["dependencies"]  # type: ignore[assignment]
    return [*own, *(one for one in extra if re.split(r"[^\w.-]", one)[0] in _NEEDED)]


def lowest(needed: list[str]) -> dict[str, str]:
    """The lowest allowed version of each requirement. Raises ValueError for one without a lower bound."""
    found = {}
    for text in needed:
        bound = _BOUND.match(text)
        if bound is None:
            raise ValueError(f"{text} has no lower bound")
        found[bound[1]] = bound[2]
    return found


def main(words: list[str]) -> int:
    needed = requirements(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"])
    if words == ["--requirements"]:
        print(*needed, sep="\n")
        return 0
    folder = Path(words.pop(0))
    exact = [f"{name}=={version}" for name, version in lowest(needed).items()]
    python = folder / "bin/python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", *exact], check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", "--editable", str(ROOT)], check=True)
    subprocess.run([python, "-m", "pip", "check"], check=True)
    print("Testing with", ", ".join(exact), flush=True)
    return subprocess.call([python, "-m", "pytest", "--numprocesses", "2", *(words or ["tests/unit"])], cwd=ROOT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
