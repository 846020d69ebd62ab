"""What `run` writes when a stage failed or was interrupted: nothing that passes, whatever the checks came to."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as xml

import pytest
from invoke.exceptions import Exit

from clusterlab.cli.output import RunOutput
from clusterlab.cli.output_files import OutputFiles
from clusterlab.errors import ClusterlabError
from clusterlab.machines.paths import state_home
from clusterlab.model.load import load_lab
from clusterlab.pipeline.lock import Exclusive
from clusterlab.pipeline.pipeline import Pipeline
from clusterlab.pipeline.session import Session
from clusterlab.pipeline.stages import Stage
from clusterlab.reports.console import PlainConsole
from clusterlab.reports.junit import junit
from clusterlab.reports.progress import progress_on
from clusterlab.reports.summary import Run
from clusterlab.results import Outcome, Result
from tests.support.nightly_runs import nightly_run, result

INVENTORY = "lab: demo\nmachines: qemu\nhosts:\n  host1: {address: 192.168.98.11, roles: [docker]}\n"
PLAY = 'title: little\nchecks:\n  - {title: it is there, command: {on: host1, run: "test -e /etc"}}\n'


@pytest.fixture
def output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunOutput:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "lab.yml").write_text(INVENTORY)
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks" / "little.yml").write_text(PLAY)
    lab = load_lab(tmp_path / "lab.yml", [], tmp_path / "playbooks")
    with progress_on(PlainConsole(stderr=True)) as progress:
        pipeline = Pipeline(Session(lab, progress, Exclusive("run")))
    pipeline.results = [Result("little", "it is there", "command", Outcome.PASS, 1)]
    files = OutputFiles(*(str(tmp_path / f"run.{form}") for form in ("json", "xml", "html")))
    return RunOutput(pipeline, Run("demo", "run"), files)


def fail() -> str:
    raise ClusterlabError("1 change failed")


def interrupt() -> str:
    raise KeyboardInterrupt


def error_case(text: str, stage: str) -> str | None:
    document = xml.fromstring(text)
    assert document.get("errors") == "1"
    error = document.find(f"testsuite/testcase[@classname='run'][@name='{stage}']/error")
    assert error is not None
    return error.get("message")


def test_a_failed_apply_is_an_error_although_every_check_passed(
    output: RunOutput, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output.stages.carry_out("apply", fail)
    with pytest.raises(Exit) as ended:
        output.finish()
    assert ended.value.code == 3
    document = json.loads((tmp_path / "run.json").read_text())
    assert (document["outcome"], document["error"]["message"]) == ("error", "1 change failed")
    assert error_case((tmp_path / "run.xml").read_text(), "apply") == "1 change failed"
    assert "! demo: 1 of 1 statement proven, but apply did not make every change" in capsys.readouterr().out
    assert "1 change failed" in (tmp_path / "run.html").read_text()


def test_a_damaged_record_of_lessons_hides_no_result(output: RunOutput, capsys: pytest.CaptureFixture[str]) -> None:
    file = state_home() / "lessons.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("")
    with pytest.raises(Exit) as ended:
        output.finish()
    assert ended.value.code == 0
    shown = capsys.readouterr()
    assert "1 of 1 statement proven" in shown.out
    assert "lessons.json cannot be read" in " ".join(shown.err.split())


def test_an_interrupted_run_is_an_error_in_its_files(output: RunOutput, tmp_path: Path) -> None:
    """What did not end is told from what could not be checked."""
    output._pipeline.results.clear()
    with pytest.raises(KeyboardInterrupt):
        output.stages.carry_out("check", interrupt)
    output.interrupted("clusterlab run")
    document = json.loads((tmp_path / "run.json").read_text())
    assert document["outcome"] == "error"
    assert document["proven"] == "0 of 1 statement proven, 1 not run"
    (only,) = document["results"]
    assert (only["outcome"], only["hint"]) == ("not-run", "not run: the run was interrupted")
    text = (tmp_path / "run.xml").read_text()
    assert error_case(text, "check") == "interrupted"
    skipped = xml.fromstring(text).find("testsuite[@name='little']/testcase/skipped")
    assert skipped is not None
    assert (skipped.get("type"), skipped.get("message")) == ("not-run", "not run: the run was interrupted")


def test_a_nightly_run_with_a_failed_stage_is_not_green() -> None:
    one = nightly_run(1, result(Outcome.PASS))
    one.stages = [Stage("start", "done"), Stage("apply", "failed", 1.0, "1 change failed"), Stage("stop", "failed")]
    assert error_case(junit(one.as_run()), "apply") == "1 change failed"
