from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from clusterlab.model import InvalidFiles, load_lab
from clusterlab.nightly.waivers import Waiver, apply_waivers, load_waivers, unknown_waivers, waiver_file
from clusterlab.results import Outcome
from tests.support.nightly_runs import result

WAIVER = Waiver(play="volumes/nfs", check="it works", reason="new NAS", who="ada", until="2026-03-10")
LAST_DAY, DAY_AFTER = date(2026, 3, 10), date(2026, 3, 11)


def test_it_stands_next_to_the_inventory() -> None:
    assert waiver_file(Path("inventory/default.yml")) == Path("inventory/default.waivers.yml")


@pytest.mark.parametrize("outcome", [Outcome.FAIL, Outcome.ERROR])
def test_a_waived_failure_keeps_its_evidence_and_says_who_and_why(outcome: Outcome) -> None:
    waived = apply_waivers([result(outcome)], [WAIVER], LAST_DAY)
    (one,) = waived.results
    assert one.outcome is Outcome.WAIVED
    assert one.hint == "waived by ada until 2026-03-10: new NAS"
    assert one.evidence == result(outcome).evidence
    assert waived.notes == []


def test_past_its_date_it_fails_again_and_says_so() -> None:
    waived = apply_waivers([result(Outcome.FAIL)], [WAIVER], DAY_AFTER)
    assert waived.results[0].outcome is Outcome.FAIL
    assert "its waiver has ended" in waived.results[0].hint
    assert "look at it" in waived.results[0].hint
    assert "its waiver has ended" in waived.notes[0]


def test_a_waived_check_that_holds_is_reported() -> None:
    waived = apply_waivers([result(Outcome.PASS)], [WAIVER], LAST_DAY)
    assert waived.results[0].outcome is Outcome.PASS
    assert "passes although it is waived" in waived.notes[0]


def test_other_checks_are_left_alone() -> None:
    others = [result(Outcome.FAIL, "another"), result(Outcome.FAIL, play="networks/host")]
    assert apply_waivers(others, [WAIVER], LAST_DAY).results == others


@pytest.mark.parametrize(
    ("play", "check", "note"),
    [
        (
            "little",
            "it wroks",
            "a waiver is for 'it wroks' of little, which has no such check; did you mean 'it works'?",
        ),
        ("litle", "it works", "a waiver is for the play litle, which does not exist; did you mean 'little'?"),
        ("nightly", "host9 answers", "a waiver is for 'host9 answers' of nightly, which has no such check"),
        ("nightly", "host1 answers", ""),
        ("nightly", "a second apply changes nothing", ""),
        ("little", "it works", ""),
        ("another", "not loaded tonight", ""),
    ],
)
def test_a_waiver_of_what_does_not_exist_is_told(tmp_path: Path, play: str, check: str, note: str) -> None:
    (tmp_path / "lab.yml").write_text("lab: demo\nmachines: qemu\nhosts: {host1: {address: 192.168.98.11}}\n")
    (tmp_path / "plays").mkdir()
    checks = "checks: [{title: it works, command: {on: host1, run: test -e /etc}}]\n"
    (tmp_path / "plays" / "little.yml").write_text(f"title: little\n{checks}")
    lab = load_lab(tmp_path / "lab.yml", [], tmp_path / "plays")
    told = unknown_waivers([WAIVER.model_copy(update={"play": play, "check": check})], lab, ["little", "another"])
    assert [text.replace("; did you mean 'host1 answers'?", "") for text in told] == ([note] if note else [])


def read(tmp_path: Path, text: str) -> list[Waiver]:
    file = tmp_path / "lab.waivers.yml"
    file.write_text(text)
    return load_waivers(file)


def test_a_file(tmp_path: Path) -> None:
    text = "waivers:\n  - {play: volumes/nfs, check: it works, reason: new NAS, who: ada, until: 2026-03-10}\n"
    assert read(tmp_path, text) == [WAIVER]
    assert load_waivers(tmp_path / "none.yml") == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            "waivers:\n  - {play: p, check: c, reason: r, who: ada, until: soon}\n",
            "{file}:2:53: waivers[0].until: 'soon' is not a day\n    Write it as 2026-12-31.",
        ),
        (
            "waivers:\n  - {play: p, check: c, reason: r, until: 2026-03-10}\n",
            "{file}:2:5: waivers[0]: the key 'who' is missing",
        ),
        (
            "waivers:\n  - {play: p, check: c, reason: r, who: a, til: 2026-03-10}\n",
            "{file}:2:44: waivers[0]: unknown key 'til'\n    Did you mean 'until'?",
        ),
        (
            "waivers:\n  - {play: p, check: c, reason: '', who: a, until: 2026-03-10}\n",
            "{file}:2:33: waivers[0].reason: must not be empty",
        ),
        (
            "waivers:\n" + "  - {play: p, check: c, reason: r, who: a, until: 2026-03-10}\n" * 2,
            "{file}:3:5: waivers[1]: this check is waived twice\n    Keep one of the two.",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, wanted: str) -> None:
    with pytest.raises(InvalidFiles) as raised:
        read(tmp_path, text)
    assert str(raised.value).startswith(wanted.format(file=tmp_path / "lab.waivers.yml"))
