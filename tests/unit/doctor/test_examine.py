"""Folding, reading twice, mutes, differences, exit codes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from clusterlab.doctor.answers import Answers
from clusterlab.doctor.article import article, page
from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.codes import DIAGNOSES
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.examination import Examination, difference, keep
from clusterlab.doctor.examine import examine, fold
from clusterlab.doctor.finding import Diagnosed, Finding, NotSeen, Severity, Unknown
from clusterlab.doctor.mutes import Mute, Muted, apply_mutes, load_mutes
from clusterlab.model import InvalidFiles

ONE = Cluster({"host1": Answers("host1")})


def _diagnosis(code: str, found: list[Finding], *, root: int = 0, passing: bool = False) -> Diagnosis:
    return Diagnosis(
        code=code,
        title="t",
        severity=Severity.ERROR,
        effect="e",
        detection="d",
        remedy="r",
        root=root,
        passing=passing,
        cluster=lambda cluster: iter(found),
    )


def _finding(code: str, host: str = "host1", consequences: tuple[str, ...] = ()) -> Finding:
    return Finding(code, Severity.ERROR, host, "broken", hosts=(host,), consequences=consequences)


def test_a_cause_folds_what_follows_from_it_on_the_same_host() -> None:
    found = [_finding("A", consequences=("B",)), _finding("B"), _finding("B", "host2"), _finding("C")]
    kinds = {code: _diagnosis(code, [], root=root) for code, root in (("A", 1), ("B", 0), ("C", 0))}
    folded = fold(found, kinds)
    assert [one.key for one in folded] == ["A:host1", "B:host2", "C:host1"]
    assert folded[0].explains == ("B:host1",)


def test_a_chain_of_consequences_is_folded_into_its_root() -> None:
    found = [_finding("C"), _finding("B", consequences=("C",)), _finding("A", consequences=("B",))]
    kinds = {code: _diagnosis(code, [], root=root) for code, root in (("A", 1), ("B", 2), ("C", 0))}
    (left,) = fold(found, kinds)
    assert left.code == "A"
    assert left.explains == ("B:host1", "C:host1")


def test_a_cause_folds_what_has_its_own_name() -> None:
    """As a service whose tasks do not start, and its volume of the same name."""
    found = [_finding("A", consequences=("A", "C")), _finding("A", consequences=("C",)), _finding("C")]
    (left,) = fold(found, {code: _diagnosis(code, [], root=root) for code, root in (("A", 1), ("C", 0))})
    assert left.explains == ("A:host1", "C:host1")


def test_a_volume_without_an_address_is_served_by_no_host() -> None:
    assert ONE.at_address("") is None


def test_what_passes_by_itself_is_not_reported() -> None:
    found = [_finding("A")]

    def gone() -> Cluster:
        found.clear()
        return ONE

    kinds = {"A": _diagnosis("A", found, passing=True)}
    assert not examine(ONE, gone, kinds).findings


def test_what_stays_is_reported() -> None:
    kinds = {"A": _diagnosis("A", [_finding("A")], passing=True)}
    assert [one.code for one in examine(ONE, lambda: ONE, kinds).findings] == ["A"]


def test_what_was_found_before_a_fact_was_missing_counts() -> None:
    def half(cluster: Cluster) -> Found:
        yield _finding("A")
        raise NotSeen("host2", "silent")

    kind = Diagnosis(code="A", title="t", severity=Severity.ERROR, effect="", detection="", remedy="", cluster=half)
    diagnosed = examine(ONE, None, {"A": kind})
    assert [one.code for one in diagnosed.findings] == ["A"]
    assert diagnosed.unknown == (Unknown("A", "host2", "silent"),)
    assert not diagnosed.healthy


def _run(findings: tuple[Finding, ...] = (), unknown: tuple[Unknown, ...] = ()) -> Examination:
    return Examination(("host1",), Diagnosed(findings, unknown, ("A",)), Muted(findings, (), ()), 1.0)


def test_exit_codes() -> None:
    warning = Finding("A", Severity.WARNING, "host1", "may break")
    missing = (Unknown("A", "host1", "silent"),)
    assert (_run().exit_code, _run().verdict) == (0, "healthy")
    assert (_run((warning,)).exit_code, _run((warning,)).verdict) == (0, "healthy, 1 warning")
    assert (_run((), missing).exit_code, _run((), missing).verdict) == (3, "1 unknown")
    assert _run((_finding("A"),), missing).exit_code == 1


def _mute(**more: str) -> Mute:
    given = {"code": "CL305", "subject": "host1", "severity": "warning", "reason": "r", "who": "ada"}
    return Mute.model_validate({**given, "until": "2026-12-31", **more})


def test_a_mute_counts_until_its_day_and_its_severity() -> None:
    warning = Finding("CL305", Severity.WARNING, "host1", "w")
    worse = _finding("CL305")
    assert apply_mutes([warning], [_mute()], date(2026, 12, 31)).muted
    late = apply_mutes([warning], [_mute()], date(2027, 1, 1))
    assert late.findings == (warning,)
    assert "has ended" in late.notes[0]
    assert apply_mutes([worse], [_mute()], date(2026, 12, 1)).findings == (worse,)
    assert "mutes nothing" in apply_mutes([], [_mute()], date(2026, 12, 1)).notes[0]


def test_mutes_that_are_not_valid_name_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "lab.mutes.yml"
    path.write_text("mutes:\n  - {code: CL306x, subject: a, severity: bad, reason: r, who: w, until: soon}\n")
    with pytest.raises(InvalidFiles) as raised:
        load_mutes(path)
    assert "CL306x" in str(raised.value)
    assert load_mutes(tmp_path / "none.yml") == []


def test_difference_to_the_last_run(tmp_path: Path) -> None:
    path = tmp_path / "doctor" / "lab.json"
    warning = Finding("A", Severity.WARNING, "host1", "w")
    keep(path, _run((warning, _finding("B"), _finding("C"))).document())
    now = _run((_finding("A"), _finding("D")), (Unknown("C", "host1", "silent"),)).document()
    found = difference(path, now)
    assert found is not None
    assert (found.new, found.worse, found.gone, found.no_longer_asked) == (
        ("D:host1",),
        ("A:host1",),
        ("B:host1",),
        ("C:host1",),
    )
    assert difference(tmp_path / "none.json", now) is None


def test_the_page_and_explain_come_from_the_diagnoses() -> None:
    written = Path("docs/doctor.md").read_text()
    assert written == page(), "python -m clusterlab.doctor.article > docs/doctor.md"
    for diagnosis in DIAGNOSES.values():
        assert diagnosis.effect in written
        assert diagnosis.effect in article(diagnosis)
