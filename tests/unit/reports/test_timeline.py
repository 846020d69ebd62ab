"""The timeline of a drill on a terminal and in a page, as a real browser paints it and tells screen readers of it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace

import pytest

from clusterlab.nightly.nightly_run import NightlyRun
from clusterlab.reports.console import PlainConsole
from clusterlab.reports.html import page
from clusterlab.reports.summary import Run
from clusterlab.reports.terminal import show_results
from clusterlab.reports.timeline import draw_timeline, scale
from clusterlab.results import Moment, Outcome, Result, Strip, Timeline
from tests.support.browser import Page, browser
from tests.unit.reports.test_accessible import CONTRASTS

TIMELINE = Timeline(
    "power off host2",
    lead=4,
    heal=28.2,
    strips=(
        Strip("gw -> host1:8090", "====" + "===#=##=#=##" + "=" * 24, "unavailable 3.0 s of 28.0 s (±0.5)"),
        Strip("gw -> host2:8090", "====" + "#" * 30 + "??" + "=" * 4),
    ),
    moments=(Moment(16.2, "host2 is Down"), Moment(21, "<script>alert(1)</script>")),
)
RESULTS = [
    Result("shop", "power off a worker", "drill", Outcome.PASS, timeline=TIMELINE),
    Result("shop", "web answers", "http", Outcome.PASS),
]

SHOWN = """\

shop
  ✔ power off a worker  0.0 s
    power off host2       v         10 s         heal v 30 s
    gw -> host1:8090  =======#=##=#=##========================
    gw -> host2:8090  ====##############################??====
    events            +16 host2 is Down, +21 <script>alert(1)</script>
    gw -> host1:8090  unavailable 3.0 s of 28.0 s (±0.5)
  ✔ web answers  0.0 s
"""


def test_on_a_terminal() -> None:
    text = io.StringIO()
    show_results(PlainConsole(file=text, width=100), Run("demo", "drill", results=list(RESULTS)))
    assert text.getvalue().startswith(SHOWN)


def test_a_short_fault_has_both_marks() -> None:
    assert scale(replace(TIMELINE, heal=3.0)) == "    v  v      10 s      20 s      30 s"


def test_what_is_seen_is_said_in_words() -> None:
    drawn = draw_timeline(TIMELINE)
    assert "gw -> host2:8090: failed from +0 s to +30 s; no data from +30 s to +32 s." in drawn.label
    assert drawn.rows[1].bars[1].title == "gw -> host2:8090: failed from +0 s to +30 s"


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder = tmp_path_factory.mktemp("timeline")
    nightly_run = NightlyRun("demo", "r", 1, finished=True, outcome="pass", results=list(RESULTS))
    (folder / "report.html").write_text(page(nightly_run))
    with browser(folder / "profile") as shown:
        shown.open(folder / "report.html")
        yield shown


def test_what_a_lab_says_stays_text(opened: Page) -> None:
    assert opened.evaluate("document.querySelectorAll('script').length") == 0
    assert "<script>alert(1)</script>" in opened.evaluate("document.body.textContent")
    assert opened.said == []


@pytest.mark.parametrize("dark", [False, True])
def test_every_text_can_be_read_as_it_is_painted(opened: Page, dark: bool) -> None:
    opened.dark(dark)
    assert [one for one in opened.evaluate(CONTRASTS) if one[1] < one[2]] == []


def test_it_fits_where_it_is_scrolled(opened: Page) -> None:
    for width in (1280, 360):
        opened.size(width, 800, mobile=width < 500)
        assert opened.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert opened.evaluate("document.querySelectorAll('svg.timeline rect').length") == 13


def test_a_screen_reader_is_told_what_it_shows(opened: Page) -> None:
    nodes = opened.call("Accessibility.getFullAXTree")["nodes"]
    names = [str(node.get("name", {}).get("value", "")) for node in nodes if not node["ignored"]]
    assert any("failed from +0 s to +30 s" in name for name in names)
    assert "Timeline: power off a worker" in names
