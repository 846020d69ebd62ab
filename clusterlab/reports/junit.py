"""Results as JUnit XML: one suite per play, one case per check.

A failed precondition is one failed case of the suite "preconditions"; the statements that it blocks are skipped. An
unsupported statement is skipped, and in a strict run that it makes fail it is a failure. A stage that failed or was
interrupted is a case with an error in the suite "run"; what was not run because of it is skipped. So is a run that
ends with another exit code than 0 although no case shows it: that proved nothing.

The form is the one that CI services read: https://github.com/testmoapp/junitxml
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from xml.etree import ElementTree as xml

from clusterlab.errors import ClusterlabError
from clusterlab.redaction import secrets_text
from clusterlab.reports.summary import Run
from clusterlab.reports.verdict import blocking, proven
from clusterlab.results import Cause, Evidence, Outcome, Result

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOT_PROVEN = "See why each statement is skipped: what these hosts lack, or what keeps it from being run."
_TAG = {
    Outcome.FAIL: "failure",
    Outcome.ERROR: "error",
    Outcome.BLOCKED: "skipped",
    Outcome.UNSUPPORTED: "skipped",
    Outcome.WAIVED: "skipped",
    Outcome.NOT_RUN: "skipped",
}


def junit(run: Run) -> str:
    """The run as a JUnit document."""
    root = xml.Element("testsuites", name=_clean(f"clusterlab {run.lab}"), time=f"{run.seconds:.3f}")
    _count(root, run.results, run.strict)
    for play, group in groupby(run.results, key=lambda result: result.play):
        results = list(group)
        suite = xml.SubElement(
            root, "testsuite", name=_clean(play), timestamp=run.started.isoformat(timespec="seconds")
        )
        suite.set("time", f"{sum(result.seconds for result in results):.3f}")
        _count(suite, results, run.strict)
        for result in results:
            _case(suite, result, _tag(result, run.strict))
    if causes := blocking(run.results):
        _preconditions(root, causes)
    if run.error:
        _stage(root, run.failed_stage or run.verb, run.error)
    elif run.exit_code and all(root.find(f".//{tag}") is None for tag in ("failure", "error")):
        stated = [result for result in run.results if not result.own]
        _stage(root, run.verb, ClusterlabError(f"not proven: {proven(stated)}", remedy=_NOT_PROVEN))
    xml.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + xml.tostring(root, encoding="unicode")


def _preconditions(root: xml.Element, causes: Mapping[Cause, Sequence[Result]]) -> None:
    suite = xml.SubElement(root, "testsuite", name="preconditions", tests=str(len(causes)), failures=str(len(causes)))
    suite.set("errors", "0")
    suite.set("skipped", "0")
    for cause, blocked in causes.items():
        name = _clean(f"{cause.subject} {cause.code}")
        case = xml.SubElement(suite, "testcase", classname="preconditions", name=name)
        failure = xml.SubElement(case, "failure", type=_clean(cause.code), message=_clean(cause.summary))
        blocks = [f"  {result.play}: {result.check}" for result in blocked]
        failure.text = _clean("\n".join([cause.summary, f"remedy: {cause.remedy}", "blocks:", *blocks]))
    _add(root, len(causes), "tests", "failures")


def _stage(root: xml.Element, stage: str, error: ClusterlabError) -> None:
    """A stage that failed, or was interrupted.

    Without it, a run of passed checks would seem to be all of it.
    """
    suite = xml.SubElement(root, "testsuite", name="run", tests="1", failures="0", errors="1", skipped="0")
    case = xml.SubElement(suite, "testcase", classname="run", name=_clean(stage))
    element = xml.SubElement(case, "error", type="error", message=_clean(error.message))
    remedy = f"remedy: {error.remedy}" if error.remedy else ""
    element.text = _clean("\n".join(filter(None, [error.message, error.detail, remedy])))
    _add(root, 1, "tests", "errors")


def _add(root: xml.Element, number: int, *attributes: str) -> None:
    for attribute in attributes:
        root.set(attribute, str(int(root.get(attribute, "0")) + number))


def _tag(result: Result, strict: bool) -> str:
    """The element that says how a statement ended; "" for one that was proven."""
    return "failure" if strict and result.fails_strict else _TAG.get(result.outcome, "")


def _count(element: xml.Element, results: list[Result], strict: bool) -> None:
    element.set("tests", str(len(results)))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(attribute, str(sum(_tag(result, strict) == tag for result in results)))


def _case(suite: xml.Element, result: Result, tag: str) -> None:
    case = xml.SubElement(suite, "testcase", classname=_clean(result.play), name=_clean(result.check))
    case.set("time", f"{result.seconds:.3f}")
    if tag:
        shown = [evidence for evidence in result.evidence if not evidence.holds] or list(result.evidence)
        first = shown[0].found if shown else result.hint
        if result.cause:
            first = f"{result.cause.subject} {result.cause.code}: {result.cause.summary}"
        detail = xml.SubElement(case, tag, type=result.outcome.value, message=_clean(first))
        if tag != "skipped":
            named = [f"doctor: {one.code}: {one.cause}" for one in result.doctor]
            detail.text = _clean("\n\n".join([*map(evidence_text, shown), f"hint: {result.hint}", *named]))
    elif result.outcome is Outcome.FLAKY:
        out = xml.SubElement(case, "system-out")
        out.text = _clean("flaky: failed, then passed when repeated\n" + "\n\n".join(_texts(result.evidence)))


def _texts(evidence: Iterable[Evidence]) -> list[str]:
    return [evidence_text(item) for item in evidence]


def evidence_text(evidence: Evidence) -> str:
    """One piece of evidence as plain text, logs included."""
    parts = [
        f"where:   {evidence.place}",
        f"command: {evidence.command}",
        f"wanted:  {evidence.wanted}",
        f"found:   {evidence.found}",
    ]
    if evidence.output:
        parts.append(f"output:\n{evidence.output}")
    parts += [f"{name}:\n{text}" for name, text in evidence.logs.items()]
    parts += [f"redacted: {secrets_text(evidence.redacted)}"] if evidence.redacted else []
    return "\n".join(parts)


def _clean(text: str) -> str:
    """The text without the control characters that XML 1.0 cannot contain.

    See https://www.w3.org/TR/xml/#charsets.
    """
    return _NOT_XML.sub("\ufffd", text)
