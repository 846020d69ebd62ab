"""The table of what is proven where, from results as `clusterlab run --json` writes them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def coverage(folder: Path, *options: str, **kinds: list[tuple[str, str, str]]) -> subprocess.CompletedProcess[str]:
    words = list(options)
    for play in dict.fromkeys(play for rows in kinds.values() for play, _, _ in rows):
        lesson = folder / "plays" / f"{play}.yml"
        lesson.parent.mkdir(parents=True, exist_ok=True)
        lesson.touch()
    for kind, rows in kinds.items():
        file = folder / f"{kind}.json"
        results = [{"play": play, "check": check, "outcome": outcome} for play, check, outcome in rows]
        file.write_text(json.dumps({"results": results}))
        words.append(f"{kind}={file}")
    argv = [sys.executable, "-m", "tests.bench.coverage", *words, "--playbooks", str(folder / "plays")]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "COLUMNS": "80"}
    return subprocess.run(argv, capture_output=True, text=True, check=False, env=environment)


def test_every_lesson_that_holds_somewhere_and_fails_nowhere_is_proven(tmp_path: Path) -> None:
    ended = coverage(
        tmp_path,
        qemu=[("volumes/nfs", "a", "pass"), ("volumes/nfs", "b", "flaky")],
        namespaces=[("volumes/nfs", "a", "unsupported"), ("volumes/nfs", "b", "pass")],
    )
    assert ended.returncode == 0, ended.stderr
    (row,) = [line.split("  ") for line in ended.stdout.splitlines() if line.startswith("volumes/nfs")]
    assert [cell.strip() for cell in row if cell.strip()] == [
        "volumes/nfs",
        "1 pass, 1 flaky",
        "1 pass, 1 unsupported",
        "✔",
    ]
    assert "1 lessons, 1 of them proven" in ended.stdout


def test_what_fails_or_holds_nowhere_or_was_not_asked_is_named(tmp_path: Path) -> None:
    ended = coverage(
        tmp_path,
        qemu=[("one", "a", "pass"), ("two", "b", "unsupported"), ("three", "c", "error")],
        namespaces=[("one", "a", "fail"), ("two", "b", "waived")],
    )
    assert ended.returncode == 1
    assert "3 lessons, 0 of them proven" in ended.stdout
    for text in ("not proven: one: a", "not proven: two: b", "not proven: three: c", "not run"):
        assert text in ended.stdout


def test_every_statement_is_shown_when_asked_for(tmp_path: Path) -> None:
    ended = coverage(
        tmp_path,
        "--statements",
        qemu=[("volumes/nfs", "a file", "pass"), ("volumes/nfs", "a mount", "error")],
        namespaces=[("volumes/nfs", "a file", "unsupported")],
    )
    rows = [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in ended.stdout.splitlines()]
    assert ["a file", "pass", "unsupported", "✔"] in rows
    assert ["a mount", "error", "not run", "✘"] in rows


def test_without_results_it_says_how_it_is_used(tmp_path: Path) -> None:
    assert coverage(tmp_path).returncode == 2
    assert coverage(tmp_path, qemu=[]).returncode == 1  # results of nothing prove nothing


def test_a_lesson_that_was_not_run_is_named(tmp_path: Path) -> None:
    (tmp_path / "plays" / "networks").mkdir(parents=True)
    (tmp_path / "plays" / "networks" / "none.yml").touch()
    ended = coverage(tmp_path, qemu=[("volumes/nfs", "a", "pass")])
    assert ended.returncode == 1
    assert "2 lessons, 1 of them proven" in ended.stdout
    assert "not proven: networks/none: all" in ended.stdout
