"""The report page: what it tells, that nothing of a lab gets out of its text, and how a real browser takes it."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from clusterlab.nightly.nightly_run import NightlyRun
from clusterlab.reports import html
from clusterlab.reports.html import page
from clusterlab.reports.marks import MARKS
from clusterlab.results import Named, Outcome
from tests.support.browser import Page
from tests.support.sample import HOSTILE, RESULTS, nightly_run

TAB, ENTER = ("Tab", 9), ("Enter", 13, "\r")
FOCUSED = "document.activeElement.tagName + ' ' + document.activeElement.textContent.trim().slice(0, 40)"


class Tags(HTMLParser):
    """Start tags with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_it_needs_nothing_from_elsewhere_and_runs_nothing() -> None:
    for tag, attributes in Tags(page(nightly_run())).found:
        assert tag not in ("script", "iframe", "object", "embed", "img")
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href"):
            assert (attributes.get(name) or "#").startswith(("#", "data:"))


def test_what_a_lab_says_stays_text() -> None:
    shown = page(nightly_run())
    assert HOSTILE not in shown
    assert shown.count("&lt;script&gt;") >= 4  # in a note, a stage, an output, a log


@pytest.mark.parametrize(
    "words",
    [
        "demo: A statement failed",
        "New failures",
        "failing since 2026-03-12 03:00 UTC (3 runs)",
        "ping -c 2 -W 10 beta",
        "none of 2 packets came back: timed out",
        "journal of host2 at that moment",
        "UDP 4789 between the hosts",
        "waived by ada until 2026-12-31",
        "recreated the machines",
        "needs ipvs: this kernel has no module ip_vs",
        "26.1.5",
    ],
)
def test_it_tells(words: str) -> None:
    assert words in page(nightly_run())


def test_a_failed_statement_shows_what_doctor_names() -> None:
    made = nightly_run()
    named = (Named("CL306", f"host2: 7946/udp is blocked {HOSTILE}"),)
    made.results = [replace(one, doctor=named) if one.outcome is Outcome.FAIL else one for one in made.results]
    shown = page(made)
    assert "doctor: CL306: host2: 7946/udp is blocked" in shown
    assert HOSTILE not in shown


def test_an_unfinished_run_says_so() -> None:
    made = replace(nightly_run(), finished=False, outcome="unfinished")
    assert "The run did not finish" in page(made)
    assert "the stage “write” was done" in page(made)


def test_a_run_of_which_nothing_is_known_yet_has_a_page() -> None:
    assert "it had only begun" in page(NightlyRun("demo", "r", 1))


def test_every_outcome_has_its_own_mark_beside_its_colour() -> None:
    outcomes = [MARKS[result.outcome.value] for result in RESULTS]
    assert len(set(outcomes)) == len({result.outcome for result in RESULTS})


# Contrast, as WCAG 2.2 computes it: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def palettes() -> dict[str, dict[str, str]]:
    css = (Path(html.__file__).parent / "templates" / "report.css").read_text()
    blocks = re.findall(r":root \{(.*?)\}", css, re.S)
    found = [dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})", block)) for block in blocks]
    return dict(zip(("light", "dark", "print"), found, strict=True))


@pytest.mark.parametrize("name", ["light", "dark", "print"])
def test_every_text_colour_can_be_read_on_every_background_it_stands_on(name: str) -> None:
    colours = palettes()[name]
    kinds = ("pass", "flaky", "fail", "error", "other")
    pairs = [(text, back) for text in ("text", "dim", "link", *kinds) for back in ("back", "panel")]
    pairs += [(kind, f"{kind}-back") for kind in kinds]
    pairs += [("text", f"{kind}-back") for kind in kinds]
    low = {pair: round(contrast(colours[pair[0]], colours[pair[1]]), 2) for pair in pairs}
    assert {pair: ratio for pair, ratio in low.items() if ratio < 4.5} == {}


def test_the_browser_has_nothing_to_complain_of_and_asks_for_nothing(opened: Page) -> None:
    assert opened.said == []
    assert [url for url in opened.requests if not url.startswith(("file:", "data:"))] == []


def test_the_harness_would_notice_a_complaint(opened: Page) -> None:
    opened.evaluate("console.error('seen')")
    assert any("seen" in said for said in opened.said)


@pytest.mark.parametrize("width", [320, 390, 1000])
def test_it_fits_phones_and_desks_without_scrolling_sideways(opened: Page, width: int) -> None:
    opened.size(width, 800, mobile=width < 500)
    assert opened.evaluate("document.documentElement.scrollWidth") <= width


def test_the_keyboard_reaches_and_opens_everything(opened: Page) -> None:
    opened.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
    opened.press(*TAB)
    assert opened.evaluate(FOCUSED) == "A Skip to the results"
    order = []
    for _ in range(60):
        opened.press(*TAB)
        order.append(opened.evaluate(FOCUSED))
        if order[-1].startswith("BODY"):
            break
    assert any(text.startswith("SUMMARY journal of host2") for text in order)
    assert any(text.startswith("DIV") for text in order)  # what scrolls can be scrolled
    opened.evaluate("document.querySelector('summary').focus()")
    opened.press(*ENTER)
    assert opened.evaluate("document.querySelector('details').open") is True


def test_what_has_the_focus_is_seen(opened: Page) -> None:
    opened.evaluate("document.activeElement.blur()")
    opened.press(*TAB)
    opened.press(*TAB)
    assert opened.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert opened.evaluate("getComputedStyle(document.activeElement).outlineWidth") == "3px"


def test_the_failing_edge_is_marked_in_the_picture(opened: Page) -> None:
    titles = opened.evaluate("[...document.querySelectorAll('g.bad title')].map(node => node.textContent)")
    assert "alpha → beta (ping): not reached: none of 2 packets came back: timed out, expected reached" in titles
    good = opened.evaluate("[...document.querySelectorAll('g.good title')].map(node => node.textContent)")
    assert "beta → alpha (ping): reached" in good


def test_printed_it_shows_the_evidence_too(opened: Page, tmp_path: Path) -> None:
    assert opened.pdf(tmp_path / "page.pdf").startswith(b"%PDF")
    opened.call("Emulation.setEmulatedMedia", media="print")
    height = "document.querySelector('details:not([open]) pre').getBoundingClientRect().height"
    assert opened.evaluate(height) > 10
    opened.call("Emulation.setEmulatedMedia", media="")


@pytest.mark.parametrize("dark", [False, True])
def test_a_screenshot_can_be_taken(opened: Page, dark: bool, tmp_path: Path) -> None:
    opened.size(1000, 800)
    opened.dark(dark)
    assert len(opened.screenshot(tmp_path / "page.png")) > 20_000
