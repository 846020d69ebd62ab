"""A lesson done by a person on real engines: the task, hints that lead to the end when typed, and `check`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clusterlab.checks.manual.line import HERE
from clusterlab.learning.task import next_step
from clusterlab.machines import recall_machines
from clusterlab.manual.lesson import Part, lesson
from clusterlab.model import load_lab
from clusterlab.pipeline.lock import Unlocked
from clusterlab.pipeline.pipeline import Pipeline
from clusterlab.pipeline.session import open_session
from clusterlab.progress import Silent

LAB = f"learn-{os.getpid()}"
INVENTORY = f"""\
lab: {LAB}
machines: namespaces
network: {{subnet: 10.63.0.0/24}}
hosts:
  host1: {{address: 10.63.0.11, roles: [docker]}}
images: {{shell: {{build: busybox}}}}
"""
PLAY = """\
title: Two containers share a volume
teaches: A volume outlives its containers.
volumes: {notes: {}}
containers:
  alpha: {host: host1, image: shell, command: [sleep, infinity], volumes: ["notes:/data"]}
  beta: {host: host1, image: shell, command: [sleep, infinity], volumes: ["notes:/data"]}
checks:
  - title: what alpha writes beta reads
    shared_file: {in: [alpha, beta], path: /data/file, appends: 1}
"""
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lessons")
    for name, text in {"inventory/lab.yml": INVENTORY, "playbooks/share.yml": PLAY}.items():
        (folder / name).parent.mkdir()
        (folder / name).write_text(text)
    return folder


@pytest.fixture(scope="module")
def run(folder: Path) -> Iterator[Run]:
    """The command line in that folder."""

    def clusterlab(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "clusterlab", *words]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=180)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))  # the progress over the lessons is a person's own
        try:
            yield clusterlab
        finally:
            recall_machines(LAB).down(Silent())


def typed(part: Part, pipeline: Pipeline, folder: Path) -> None:
    """Type the lines of a step, on this computer and on the hosts."""
    for line in part.lines:
        if line.host == HERE:
            command = line.command.replace("clusterlab ssh", f"{sys.executable} -m clusterlab ssh", 1)
            subprocess.run(command, shell=True, cwd=folder, check=True, timeout=60)  # noqa: S602
        else:
            pipeline.session.hosts[line.host].run(line.command, check=True)


def test_a_lesson_is_done_step_by_step(run: Run, folder: Path) -> None:
    begun = run("learn", "share", "-i", "lab")
    assert begun.returncode == 0, begun.stderr
    for text in ("A volume outlives its containers.", "volume notes on host1", "1. what alpha writes beta reads"):
        assert text in begun.stdout
    assert "docker run" not in begun.stdout
    assert "clusterlab learn share -i lab --hint" in begun.stdout

    first = run("check", "share", "-i", "lab")
    assert first.returncode == 1
    assert "lesson share: 0 of 1 pass" in first.stdout
    assert "Next: " in run("learn", "share", "-i", "lab", "--hint").stdout

    path = folder / "inventory/lab.yml"
    lab = load_lab(path, ["share"], folder / "playbooks")
    with open_session(lab, Silent(), Unlocked("a test")) as session:
        pipeline = Pipeline(session)
        steps: list[str] = []
        one = lesson(lab, "share", str(path), Silent(), session.unsupported)
        while (step := next_step(one, pipeline))[0] is not None and len(steps) < 10:
            assert step[1] is None, step
            steps.append(step[0].title)
            typed(step[0], pipeline, folder)
    assert steps[-3:] == ["volume notes on host1", "container alpha on host1", "container beta on host1"]
    assert steps[:-3] in ([], ["image shell on host1"])

    done = run("check", "share", "-i", "lab")
    assert done.returncode == 0, done.stdout
    assert "lesson share: done" in done.stdout
    assert "share   done" in run("learn", "-i", "lab").stdout
    assert "Everything is as the lesson wants it" in run("learn", "share", "-i", "lab", "--hint").stdout

    again = run("learn", "share", "-i", "lab", "--delete-data")
    assert again.returncode == 0, again.stderr
    assert "lesson share: 0 of 1 pass" not in again.stdout
    assert run("check", "share", "-i", "lab").returncode == 1
