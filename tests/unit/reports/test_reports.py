"""What results come to: verdict, exit code, JSON, JUnit and the terminal."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, replace
from pathlib import Path
from xml.etree import ElementTree as xml

import pytest
from rich.console import Console

from clusterlab.errors import ClusterlabError
from clusterlab.nightly.nightly_run import run_verdict
from clusterlab.reports.junit import junit
from clusterlab.reports.marks import MARKS
from clusterlab.reports.progress import progress_on, seconds_text
from clusterlab.reports.summary import Run, write_json
from clusterlab.reports.terminal import show_results
from clusterlab.reports.verdict import exit_code, proven, verdict
from clusterlab.results import NOTHING_TO_PROBE, Cause, Chain, Evidence, Named, Outcome, Result

EVIDENCE = Evidence(
    place="apphost1 on host1",
    command="docker exec apphost1 cat /data/[file]",
    wanted="contains 'one'",
    found="two\x1b[0m",
    output="\n".join(f"line {number}" for number in range(20)),
    holds=False,
    logs={"journal of host1": "nfs: server gw not responding"},
)


def results(*outcomes: Outcome) -> list[Result]:
    return [
        Result(
            "volumes/nfs", f"statement {outcome.value}", "command", outcome, 2, 1.5, (EVIDENCE,), "look at the server"
        )
        for outcome in outcomes
    ]


def run(*outcomes: Outcome) -> Run:
    return Run("demo", "check", seconds=3.0, stages={"check": 3.0}, results=results(*outcomes))


@pytest.mark.parametrize(
    ("outcomes", "wanted", "code"),
    [
        ([Outcome.PASS], Outcome.PASS, 0),
        ([Outcome.PASS, Outcome.FLAKY], Outcome.FLAKY, 0),
        ([Outcome.PASS, Outcome.UNSUPPORTED], Outcome.PASS, 0),
        ([Outcome.PASS, Outcome.ERROR], Outcome.ERROR, 3),
        ([Outcome.ERROR, Outcome.FAIL, Outcome.PASS], Outcome.FAIL, 1),
        ([Outcome.PASS, Outcome.BLOCKED], Outcome.BLOCKED, 1),
        ([Outcome.BLOCKED, Outcome.ERROR], Outcome.BLOCKED, 1),
        ([Outcome.BLOCKED, Outcome.FAIL], Outcome.FAIL, 1),
        ([Outcome.PASS, Outcome.NOT_RUN], Outcome.NOT_RUN, 3),
        ([Outcome.NOT_RUN, Outcome.ERROR], Outcome.ERROR, 3),
        ([Outcome.NOT_RUN, Outcome.FAIL], Outcome.FAIL, 1),
        ([Outcome.UNSUPPORTED], Outcome.UNSUPPORTED, 3),
        ([Outcome.WAIVED], Outcome.UNSUPPORTED, 3),
        ([Outcome.UNSUPPORTED, Outcome.WAIVED], Outcome.UNSUPPORTED, 3),
        ([], Outcome.UNSUPPORTED, 3),
    ],
)
def test_verdict_and_exit_code(outcomes: list[Outcome], wanted: Outcome, code: int) -> None:
    assert verdict(results(*outcomes)) is wanted
    assert exit_code(results(*outcomes)) == code


@pytest.mark.parametrize(
    "outcomes", [[], [Outcome.UNSUPPORTED], [Outcome.WAIVED], [Outcome.BLOCKED], [Outcome.ERROR], [Outcome.NOT_RUN]]
)
@pytest.mark.parametrize("strict", [False, True])
def test_without_a_pass_no_run_succeeds(outcomes: list[Outcome], strict: bool) -> None:
    assert exit_code(results(*outcomes), strict)


@pytest.mark.parametrize("others", [[], [Outcome.UNSUPPORTED], [Outcome.WAIVED]])
def test_what_clusterlab_states_of_every_lab_makes_no_run_succeed(others: list[Outcome]) -> None:
    own = Result("Swarm", "host1 manages the Swarm", "manager", Outcome.PASS, own=True)
    found = [own, *results(*others)]
    assert (verdict(found), exit_code(found)) == (Outcome.UNSUPPORTED, 3)
    assert run_verdict(found, []) == "unsupported"
    assert exit_code([*found, *results(Outcome.PASS)]) == 0
    assert exit_code([replace(own, outcome=Outcome.BLOCKED), *results(Outcome.PASS)]) == 1


def test_what_was_proven_counts_statements_of_plays_alone() -> None:
    own = Result("Swarm", "host1 manages the Swarm", "manager", Outcome.PASS, own=True)
    assert proven([own]) == "no statement of a play was checked"
    assert proven([own, own, *results(Outcome.PASS, Outcome.FAIL)]) == "1 of 2 statements proven, 1 failed"
    silent = replace(own, outcome=Outcome.ERROR)
    assert proven([silent, *results(Outcome.PASS, Outcome.PASS)]) == (
        "all 2 statements proven; of clusterlab's own statements, 1 could not be checked"
    )
    run = Run("demo", "check", results=[own, *results(Outcome.PASS)])
    assert run.document()["proven"] == "1 of 1 statement proven"
    assert [one.get("own") for one in run.document()["results"]] == [True, None]


@pytest.mark.parametrize("proof", [Outcome.PASS, Outcome.FLAKY])
def test_a_strict_run_fails_when_a_statement_is_unsupported(proof: Outcome) -> None:
    found = results(proof, Outcome.UNSUPPORTED)
    assert (verdict(found, strict=True), exit_code(found, strict=True)) == (Outcome.UNSUPPORTED, 1)
    assert exit_code(found) == 0
    assert exit_code(results(proof, Outcome.WAIVED), strict=True) == 0
    assert exit_code(results(proof, Outcome.UNSUPPORTED, Outcome.ERROR), strict=True) == 3


LACKS = Cause("lacks-nfs", "host1", "nfs: no kernel module")
DOWN = Cause(
    "engine-down", "host2", "the Docker engine is not running", "clusterlab ssh host2 -- systemctl start docker"
)


def with_causes() -> list[Result]:
    made = [replace(one, check=f"{one.check} {n}") for n, one in enumerate(results(*[Outcome.PASS] * 2, Outcome.FAIL))]
    made += [Result("p", f"u{n}", "file", Outcome.UNSUPPORTED, hint="needs nfs", cause=LACKS) for n in range(2)]
    return made + [Result("p", f"b{n}", "file", Outcome.BLOCKED, cause=DOWN) for n in range(3)]


def test_the_summary_says_what_was_proven() -> None:
    assert proven(with_causes()) == (
        "2 of 8 statements proven, 1 failed, 3 blocked (host2: the Docker engine is not running), "
        "2 unsupported (nfs: no kernel module)"
    )
    assert proven(results(Outcome.PASS, Outcome.PASS)) == "all 2 statements proven"
    assert proven(results(Outcome.PASS)) == "1 of 1 statement proven"


def test_a_cause_is_reported_once_with_what_it_blocks() -> None:
    blocked = Run("demo", "check", results=with_causes())
    console = Console(file=io.StringIO(), width=100, no_color=True)
    show_results(console, blocked)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert shown.count(f"{DOWN.summary}; blocks 3 statements") == 1
    assert shown.count(DOWN.remedy) == 1
    assert shown.count("by host2 engine-down") == 3

    (cause,) = blocked.document()["causes"]
    assert cause == {
        **asdict(DOWN),
        "doctor": "CL100",
        "blocks": [{"play": "p", "check": f"b{number}"} for number in range(3)],
    }
    assert blocked.document()["results"][-1]["cause"] == asdict(DOWN)

    document = xml.fromstring(junit(blocked))
    assert (document.get("tests"), document.get("failures"), document.get("skipped")) == ("9", "2", "5")
    failure = document.find("testsuite[@name='preconditions']/testcase/failure")
    assert failure is not None
    assert failure.get("type") == "engine-down"
    assert str(failure.text).count("p: b") == 3


def test_json_has_all_that_was_found(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "results.json"
    write_json(file, run(Outcome.FAIL).document())
    document = json.loads(file.read_text())
    assert (document["lab"], document["verb"], document["outcome"]) == ("demo", "check", "fail")
    (result,) = document["results"]
    assert result["play"] == "volumes/nfs"
    assert result["evidence"][0]["logs"] == EVIDENCE.logs
    assert set(result) == {"play", "check", "kind", "outcome", "attempts", "seconds", "evidence", "hint", "cause"}


def test_a_failed_statement_shows_what_doctor_names() -> None:
    named = run(Outcome.FAIL)
    named.results = [replace(named.results[0], doctor=(Named("CL306", "host2: 7946/udp is\x1b[0m blocked"),))]
    console = Console(file=io.StringIO(), width=100, no_color=True)
    show_results(console, named)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "doctor   CL306: host2: 7946/udp is blocked" in shown
    assert named.document()["results"][0]["doctor"] == [{"code": "CL306", "cause": "host2: 7946/udp is blocked"}]
    failure = xml.fromstring(junit(named)).find("testsuite/testcase/failure")
    assert failure is not None
    assert str(failure.text).endswith("doctor: CL306: host2: 7946/udp is blocked")


def test_a_report_that_cannot_be_written_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ClusterlabError, match=r"cannot write .*results\.json"):
        write_json(tmp_path / "file" / "results.json", {})


def test_junit_counts_and_explains() -> None:
    document = xml.fromstring(junit(run(Outcome.PASS, Outcome.FAIL, Outcome.ERROR, Outcome.UNSUPPORTED)))
    suite = document.find("testsuite")
    assert suite is not None
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "4",
        "failures": "1",
        "errors": "1",
        "skipped": "1",
    }
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert failure.text is not None
    assert "journal of host1" in failure.text
    assert "\x1b" not in failure.text


def test_what_fails_a_strict_run_is_a_failure_in_junit() -> None:
    for strict, counts in (True, ("1", "0")), (False, ("0", "1")):
        whole = replace(run(Outcome.PASS, Outcome.UNSUPPORTED), strict=strict)
        document = xml.fromstring(junit(whole))
        for element in (document, document[0]):
            assert (element.get("failures"), element.get("skipped")) == counts
        assert len(document.findall(".//failure")) == int(counts[0])
        assert bool(document.findall(".//failure")) is bool(whole.exit_code)


def test_what_a_strict_run_accepts_is_skipped_in_junit() -> None:
    whole = replace(run(Outcome.PASS, Outcome.UNSUPPORTED), strict=True)
    cause = Cause(NOTHING_TO_PROBE, "worker", "it listens on no TCP port")
    whole.results = [replace(one, cause=cause) for one in whole.results]
    document = xml.fromstring(junit(whole))
    assert (document.get("failures"), document.get("skipped"), whole.exit_code) == ("0", "1", 0)


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("outcomes", [[], *([one] for one in Outcome), [Outcome.PASS, Outcome.NOT_RUN]], ids=str)
def test_junit_shows_that_a_run_did_not_succeed(outcomes: list[Outcome], strict: bool) -> None:
    whole = replace(run(*outcomes), strict=strict)
    document = xml.fromstring(junit(whole))
    wrong = [*document.iter("failure"), *document.iter("error")]
    assert bool(wrong) is bool(whole.exit_code)
    assert int(document.get("failures", "0")) + int(document.get("errors", "0")) == len(wrong)


def test_junit_says_that_nothing_was_proven() -> None:
    document = xml.fromstring(junit(run(Outcome.UNSUPPORTED)))
    error = document.find("testsuite[@name='run']/testcase[@classname='run'][@name='check']/error")
    assert error is not None
    assert error.get("message") == "not proven: 0 of 1 statement proven, 1 unsupported (look at the server)"


def test_junit_is_well_formed_whatever_the_titles_hold() -> None:
    odd = "bell \a and \x1b[31m"
    cause = Cause(odd, odd, odd, odd)
    found = [Result(odd, odd, "file", Outcome.FAIL), Result(odd, f"{odd} 2", "file", Outcome.BLOCKED, cause=cause)]
    document = xml.fromstring(
        junit(Run(odd, "check", results=found, error=ClusterlabError(odd, remedy=odd), failed_stage=odd))
    )
    assert next(document.iter("testcase")).get("name") == "bell \ufffd and \ufffd[31m"


@pytest.mark.parametrize(
    ("outcome", "wanted", "code"),
    [
        (Outcome.PASS, Outcome.ERROR, 3),
        (Outcome.UNSUPPORTED, Outcome.ERROR, 3),
        (Outcome.FAIL, Outcome.FAIL, 1),
        (Outcome.BLOCKED, Outcome.BLOCKED, 1),
    ],
)
def test_a_run_with_a_failed_stage_passes_nowhere(outcome: Outcome, wanted: Outcome, code: int) -> None:
    whole = run(outcome)
    whole.error, whole.failed_stage = ClusterlabError("1 change failed", remedy="look", detail="no space"), "apply"
    assert (whole.outcome, whole.exit_code) == (wanted, code)
    written = whole.document()
    assert written["outcome"] == wanted.value
    assert written["error"] == {"stage": "apply", "message": "1 change failed", "remedy": "look", "detail": "no space"}

    document = xml.fromstring(junit(whole))
    assert document.get("tests") == "2"
    assert document.get("errors") == "1"
    case = document.find("testsuite[@name='run']/testcase[@classname='run'][@name='apply']/error")
    assert case is not None
    assert case.get("message") == "1 change failed"

    console = Console(file=io.StringIO(), width=200, no_color=True)
    show_results(console, whole)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert f"{MARKS[wanted]} demo: " in shown
    assert ", but apply did not make every change  (" in shown


def test_terminal_names_every_statement_and_the_evidence_of_failures() -> None:
    console = Console(file=io.StringIO(), width=100, no_color=True)
    show_results(console, run(Outcome.PASS, Outcome.FAIL))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "✔ statement pass" in shown
    assert "✘ statement fail  fail" in shown
    assert "apphost1 on host1" in shown
    assert "cat /data/[file]" in shown
    assert "… 8 lines before" in shown
    assert "look at the server" in shown
    assert "demo: 1 of 2 statements proven, 1 failed" in shown
    assert "in all" not in shown


def test_terminal_and_json_tell_the_whole_time_and_the_longest_chain() -> None:
    whole = run(Outcome.PASS, Outcome.FAIL, Outcome.PASS)
    whole.seconds, whole.stages, whole.chain = 130.0, {"up": 126.4, "check": 3.6}, Chain(tuple(whole.results[:2]))
    console = Console(file=io.StringIO(), width=100, no_color=True)
    show_results(console, whole)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert shown.endswith(
        "2 min 10 s in all; the checks took 1.20 times as long as their longest chain, 3.0 s:\n"
        "    volumes/nfs: statement pass  1.5 s\n"
        "    volumes/nfs: statement fail  1.5 s\n"
    )
    assert whole.document()["chain"] == {
        "seconds": 3.0,
        "stretch": 1.2,
        "checks": [
            {"play": "volumes/nfs", "check": "statement pass"},
            {"play": "volumes/nfs", "check": "statement fail"},
        ],
    }


@pytest.mark.parametrize(("seconds", "text"), [(0.44, "0.4 s"), (12.4, "12 s"), (125.2, "2 min 05 s")])
def test_seconds_are_readable(seconds: float, text: str) -> None:
    assert seconds_text(seconds) == text


def test_the_line_of_a_task_is_gone_from_a_terminal_before_others_print() -> None:
    screen = io.StringIO()
    console = Console(file=screen, width=100, force_terminal=True, no_color=True)
    with progress_on(console) as progress:
        with progress.task("host2", "join swarm membership"):
            pass
        ended, _, after = screen.getvalue().partition("✔")[2].partition("\n")
        assert "join swarm membership" in ended
        assert "host2" not in after  # a moving line would stand in front of the summary


def fail_at(console: Console) -> None:
    with progress_on(console) as progress, progress.task("host2", "boot"):
        raise ClusterlabError("no")


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_says_what_ended_and_how(terminal: bool) -> None:
    console = Console(file=io.StringIO(), width=100, force_terminal=terminal, no_color=True)
    with progress_on(console) as progress, progress.task("host1", "boot [fast]") as task:
        task.update("kernel")
        progress.say("demo", "a [word]")
    with pytest.raises(ClusterlabError):
        fail_at(console)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "boot [fast]" in shown
    assert "a [word]" in shown
    assert "✔" in shown
    assert "✘" in shown
