"""Build wheel and sdist of the last commit, reproducibly: `python setup/dist.py FOLDER`.

The time in both is that of the commit (https://reproducible-builds.org/docs/source-date-epoch/), and what setuptools
takes from the file system (order, owners, modes, times) is made equal.
"""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_BUILD = """
import os, sys
from setuptools import build_meta
os.umask(0o022)
folder = sys.argv[1]  # setuptools replaces the arguments
print(build_meta.build_wheel(folder), build_meta.build_sdist(folder))
"""


def build(root: Path, folder: Path, commit: str = "HEAD") -> list[Path]:
    """Build both from a commit of the repository `root`; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    git = ["git", "-C", str(root)]
    epoch = subprocess.run(
        [*git, "log", "-1", "--format=%ct", commit], check=True, capture_output=True, text=True
    ).stdout
    archive = subprocess.run([*git, "archive", commit], check=True, capture_output=True).stdout
    with tempfile.TemporaryDirectory() as source:
        subprocess.run(["tar", "-x", "-C", source], check=True, input=archive)
        environment = {**os.environ, "SOURCE_DATE_EPOCH": epoch.strip()}
        words = [sys.executable, "-c", _BUILD, str(folder.resolve())]
        done = subprocess.run(words, cwd=source, env=environment, check=True, capture_output=True, text=True)
    wheel, sdist = (folder / name for name in done.stdout.split()[-2:])
    _normalise(sdist, int(epoch))
    return [wheel, sdist]


def _normalise(sdist: Path, epoch: int) -> None:
    """Rewrite an sdist with its members in the order of their names, of nobody, at one time."""
    packed = io.BytesIO()
    with tarfile.open(sdist) as old, tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as new:
        for member in sorted(old.getmembers(), key=lambda one: one.name):
            member.mtime, member.uid, member.gid, member.uname, member.gname = epoch, 0, 0, "", ""
            member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            member.pax_headers = {}
            new.addfile(member, old.extractfile(member) if member.isfile() else None)
    sdist.write_bytes(gzip.compress(packed.getvalue(), mtime=0))


if __name__ == "__main__":
    for built in build(ROOT, Path(sys.argv[1])):
        print(built)
