"""Lessons as tasks on a terminal.

What is to be done, the next step, and how far each lesson is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.text import Text

from clusterlab.learning.record import Standing
from clusterlab.manual.lesson import Lesson, Part
from clusterlab.model import Lab
from clusterlab.redaction import without_patterns
from clusterlab.reports.lesson import show_heading, show_introduction, show_lines
from clusterlab.reports.tables import show_rows
from clusterlab.reports.terminal import show_statements
from clusterlab.results import Result


def show_task(console: Console, lab: Lab, lesson: Lesson, things: Sequence[str], options: str) -> None:
    """What a lesson teaches, what to create, what must be true, and how to go on."""
    show_introduction(console, lab, lesson)
    if things:
        show_heading(console, "Create these, from what you know and the links above")
        for thing in things:
            console.print(Text(f"  {thing}"))
    show_heading(console, "Then these are true")
    for number, part in enumerate(lesson.statements, 1):
        console.print(Text(f"  {number}. {without_patterns(part.title)}"), soft_wrap=True)
    show_heading(console, "How to go on")
    host = next(iter(lab.inventory.hosts))
    for command, what in (
        (f"clusterlab ssh {host}{options}", "type commands on a host"),
        (f"clusterlab check {lesson.name}{options}", "see what passes so far"),
        (f"clusterlab learn {lesson.name}{options} --hint", "see the next step"),
        (f"clusterlab learn {lesson.name}{options} --solution", "see all commands"),
    ):
        console.print(Text.assemble(("  " + command, "yellow"), (f"  # {what}", "dim")), soft_wrap=True)


def show_step(console: Console, part: Part | None, result: Result | None) -> None:
    """The next step: what to type for a missing object, or what a statement found.

    A statement that fails.
    """
    if part is None:
        console.print("Everything is as the lesson wants it, and every statement passes.", soft_wrap=True)
        return
    if result is None:
        show_heading(console, f"Next: {without_patterns(part.title)}")
        show_lines(console, part.lines)
        return
    show_statements(console, [result])
    show_heading(console, "What shows it")
    show_lines(console, part.lines)


def show_standings(console: Console, titles: Mapping[str, str], known: Mapping[str, Standing]) -> None:
    """Every lesson, and how far it is."""
    rows = [{"lesson": name, "progress": standing_text(known.get(name)), "title": titles[name]} for name in titles]
    show_rows(console, ["lesson", "progress", "title"], rows)


def standing_text(one: Standing | None) -> str:
    """How far a lesson is, in two or three words."""
    if one is None:
        return "not begun"
    return "done" if one.done else f"{one.passed} of {one.statements} pass"
