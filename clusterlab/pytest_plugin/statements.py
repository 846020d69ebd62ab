"""Each statement of a play as a test item.

Its evidence is the text of a failure.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest

from clusterlab.errors import ClusterlabError
from clusterlab.model.checks import Check
from clusterlab.reports.console import PlainConsole
from clusterlab.reports.terminal import show_statements
from clusterlab.results import Outcome, Result

from . import bench_of
from .bench import as_text

_WIDTH = 120


class NotProven(AssertionError):
    """A statement that fails, could not be asked, or is blocked.

    Its text has the evidence.
    """

    def __init__(self, result: Result) -> None:
        super().__init__(evidence_of(result))
        self.result = result


def evidence_of(result: Result) -> str:
    """What was run where, expected and found, as `clusterlab check` shows it."""
    text = io.StringIO()
    show_statements(PlainConsole(file=text, width=_WIDTH, no_color=True), [result])
    return text.getvalue().strip("\n")


def settle(result: Result, strict: bool) -> None:
    """Pass, skip or fail a test by the result of a statement.

    A statement that failed and passed at once is flaky: it passes, with a warning.
    """
    if result.outcome is Outcome.UNSUPPORTED and not (strict and result.fails_strict):
        pytest.skip(result.hint or "a host cannot do this")
    if result.outcome is Outcome.FLAKY:
        import warnings

        warnings.warn(pytest.PytestWarning(f"flaky:\n{evidence_of(result)}"), stacklevel=2)
    elif result.outcome not in (Outcome.PASS, Outcome.WAIVED):
        raise NotProven(result)


class PlayFile(pytest.File):
    """A play: its statements are the items."""

    def __init__(self, *, play_name: str, **more: Any) -> None:
        super().__init__(**more)
        self.play_name = play_name

    def collect(self) -> Iterator[pytest.Item]:
        for check in bench_of(self.config).lab.plays[self.play_name].checks:
            yield Statement.from_parent(self, name=check.title, play_name=self.play_name, check=check)


class Statement(pytest.Item):
    """One statement of a play."""

    def __init__(self, *, play_name: str, check: Check, **more: Any) -> None:
        super().__init__(**more)
        self.play_name = play_name
        self.check = check

    @property
    def changes(self) -> bool:
        """Whether it changes something on the hosts while it is asked."""
        return any(step.do for step in self.check.steps) or bool(self.check.finally_)

    def runtest(self) -> None:
        bench = bench_of(self.config)
        result = bench.prove(self.play_name, bench.lab.plays[self.play_name], self.check)
        for evidence in result.evidence:
            for title, text in evidence.logs.items():
                self.add_report_section("call", f"stdout: {title}", text)
        settle(result, bench.strict)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, NotProven):
            return str(excinfo.value)
        if isinstance(excinfo.value, ClusterlabError):
            return as_text(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Any, int | None, str]:
        return self.path, None, f"{self.play_name}: {self.name}"
