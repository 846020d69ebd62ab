"""The timeline of a drill.

Strips of characters on a terminal, the same as shapes in an HTML page.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from rich.console import Console
from rich.text import Text

from clusterlab.results import Strip, Timeline

WORDS = {"=": "ok", "#": "failed", "?": "no data"}
_STYLES = {"=": "green", "#": "bold red", "?": "dim"}
_TICK = 10  # seconds between two marks of the scale
_PIXELS = 8  # of a second
_ROW = 22
_TOP = 44
_LETTER = 7.3  # pixels of a character of the names


def show_timeline(console: Console, timeline: Timeline) -> None:
    """Every strip under a scale of seconds, then numbers.

    `v` marks where the fault was injected and where it was healed.
    """
    names = [strip.name for strip in timeline.strips]
    width = max(map(len, [timeline.title, *names]), default=0) + 2
    lines = [Text(f"{timeline.title:{width}}{scale(timeline)}")]
    for strip in timeline.strips:
        line = Text(f"{strip.name:{width}}")
        for cell, run in groupby(strip.cells):
            line.append("".join(run), _STYLES[cell])
        lines.append(line)
    if timeline.moments:
        moments = ", ".join(f"{moment.at:+.0f} {moment.text}" for moment in timeline.moments)
        lines.append(Text(f"{'events':{width}}{moments}"))
    lines += [Text(f"{strip.name:{width}}{strip.found}", "dim") for strip in timeline.strips if strip.found]
    for line in lines:
        console.print(Text("    ") + line, soft_wrap=True, highlight=False)


def scale(timeline: Timeline) -> str:
    """The line above the strips.

    `v` at the injection, seconds after it, `heal v` at the heal.
    """
    size = max((len(strip.cells) for strip in timeline.strips), default=0)
    line = [" "] * (size + 1)
    heal = timeline.lead + round(timeline.heal)
    _put(line, timeline.lead, "v")
    for second in range(_TICK, size - timeline.lead, _TICK):
        label = f"{second} s"
        if not heal - len(label) - 4 <= timeline.lead + second <= heal:
            _put(line, timeline.lead + second, label)
    mark = "heal v" if heal - timeline.lead > len("heal v") else "v"
    _put(line, heal - len(mark) + 1, mark)
    return "".join(line).rstrip()


def _put(line: list[str], at: int, text: str) -> None:
    for offset, letter in enumerate(text):
        if 0 <= at + offset < len(line):
            line[at + offset] = letter


@dataclass(frozen=True)
class Bar:
    """A run of seconds of one state, in pixels; `title` says it in words."""

    x: int
    width: int
    css: str
    title: str


@dataclass(frozen=True)
class Row:
    """A strip, in pixels from the top."""

    y: int
    name: str
    words: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Drawn:
    """A timeline as shapes; the page's template writes them as SVG."""

    width: int
    height: int
    left: int
    injected: int
    healed: int
    ticks: tuple[tuple[int, str], ...]
    rows: tuple[Row, ...]
    label: str


def draw_timeline(timeline: Timeline) -> Drawn:
    """The shapes of a timeline."""
    left = int(max((len(strip.name) for strip in timeline.strips), default=0) * _LETTER) + 16
    size = max((len(strip.cells) for strip in timeline.strips), default=0)
    rows = tuple(
        Row(_TOP + number * _ROW, strip.name, _words(strip, timeline), tuple(_bars(strip, timeline, left)))
        for number, strip in enumerate(timeline.strips)
    )
    first = -(timeline.lead // _TICK) * _TICK
    return Drawn(
        width=left + size * _PIXELS + 48,
        height=_TOP + len(rows) * _ROW + 8,
        left=left,
        injected=left + timeline.lead * _PIXELS,
        healed=left + round((timeline.lead + timeline.heal) * _PIXELS),
        ticks=tuple(
            (left + (timeline.lead + second) * _PIXELS, f"{second} s")
            for second in range(first, size - timeline.lead + 1, _TICK)
        ),
        rows=rows,
        label=f"Timeline of {timeline.title}. " + " ".join(f"{row.name}: {row.words}." for row in rows),
    )


def _bars(strip: Strip, timeline: Timeline, left: int) -> Iterator[Bar]:
    at = 0
    for cell, run in groupby(strip.cells):
        size = len(list(run))
        title = f"{strip.name}: {WORDS[cell]} from {at - timeline.lead:+d} s to {at + size - timeline.lead:+d} s"
        yield Bar(left + at * _PIXELS, size * _PIXELS, WORDS[cell].replace(" ", "-"), title)
        at += size


def _words(strip: Strip, timeline: Timeline) -> str:
    """What a strip shows, in words, for those who do not see it."""
    spans = [bar.title.removeprefix(f"{strip.name}: ") for bar in _bars(strip, timeline, 0) if bar.css != "ok"]
    return "; ".join(spans) or "ok all the time"
