"""A code that another package adds is found, explained and completed like this package's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support.doctor_cases import UNIT

PACKAGE = Path(__file__).parents[2] / "examples" / "diagnoses" / "hostnames"
EXAMINE = """
import json, sys
from clusterlab.doctor.codes import DIAGNOSES
from clusterlab.doctor.examine import examine
from tests.support.doctor_cases import changed, cluster_of, sound
other = changed(sound(), [{"at": "host2.parts.kernel.text", "sub": ["^hostname .*", "hostname old.example.org"]}])
for recording in (sound(), other):
    found = examine(cluster_of(recording))
    print(json.dumps([[one.key, one.cause] for one in found.findings if one.code == "SITE101"]))
"""


def python(*words: str, installed: bool = True) -> subprocess.CompletedProcess[str]:
    path = [str(UNIT.parents[2]), *([str(PACKAGE)] if installed else [])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path)}
    argv = [sys.executable, *words]
    return subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_it_is_explained_where_the_package_is_installed() -> None:
    ended = python("-m", "clusterlab", "doctor", "--explain", "site101")
    assert ended.returncode == 0, ended.stderr
    assert "SITE101: A host has another name than its inventory gives it (warning)" in " ".join(ended.stdout.split())
    ended = python("-m", "clusterlab", "doctor", "--explain", "site101", installed=False)
    assert ended.returncode == 2
    assert "there is no code 'site101'" in ended.stderr


def test_it_is_found_beside_the_own_codes() -> None:
    ended = python("-c", EXAMINE)
    assert ended.returncode == 0, ended.stderr
    silent, found = map(json.loads, ended.stdout.splitlines())
    assert silent == []
    assert found == [["SITE101:host2", "host2 calls itself old"]]


def test_it_is_completed() -> None:
    code = "from clusterlab.cli.completion.values import SOURCES; print(*SOURCES['codes']({}))"
    assert "SITE101" in python("-c", code).stdout.split()
    assert "SITE101" not in python("-c", code, installed=False).stdout.split()
