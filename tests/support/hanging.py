"""A program that hangs in the place of another one, and a look at whether it and its children are gone."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest


def hang(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Put a program `name` first in PATH that prints to both streams, starts a child and hangs.

    Returns what `remains` finds its processes by.
    """
    marker = f"9{os.getpid()}{abs(hash(str(folder))) % 10**6}"
    program = folder / name
    lines = ["#!/bin/sh", "echo unpacking", "echo waiting for the mirror >&2", f"sleep {marker} &", f"sleep {marker}"]
    program.write_text("\n".join(lines) + "\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return f"sleep {marker}"


def remains(marker: str) -> str:
    """The processes with the marker in their command line, as pgrep lists them."""
    return subprocess.run(["pgrep", "-af", f"^{marker}"], capture_output=True, text=True, check=False).stdout
