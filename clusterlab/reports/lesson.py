"""A lesson on a terminal.

Its text, the picture, and the commands that a person types.
"""

from __future__ import annotations

from itertools import groupby
from textwrap import indent

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from clusterlab.checks.manual.line import HERE, Line
from clusterlab.manual.lesson import Lesson, Part
from clusterlab.model import Lab
from clusterlab.model.problems import either
from clusterlab.redaction import without_patterns
from clusterlab.reports.lesson_picture import draw

_PREPARED = "On hosts as `clusterlab provision` leaves them; `clusterlab clean` removes what is created here."


def show_lesson(console: Console, lab: Lab, lesson: Lesson) -> None:
    """A lesson: title, explanation, picture, and every command per host, in order.

    With what must be seen after each.
    """
    show_introduction(console, lab, lesson)
    play = lesson.play
    if lesson.making:
        show_heading(console, "What is created")
        console.print(Text(_PREPARED))
        first, *others = lab.inventory.with_role("swarm_manager") or [""]
        if others:
            console.print(Text(f"What is typed on {first} for the Swarm works on {either(others)}, too."))
        show_lines(console, [line for part in lesson.making for line in part.lines])
    for reason in dict.fromkeys(play.left_out.values()):
        things = [
            f"{thing.section.removesuffix('s')} {thing.name}" for thing, why in play.left_out.items() if why == reason
        ]
        console.print(Text(f"Left out: {', '.join(things)}: {reason}.", style="yellow"))
    if lesson.statements:
        show_heading(console, "What must then be true")
        for number, part in enumerate(lesson.statements, 1):
            _statement(console, number, part)


def show_introduction(console: Console, lab: Lab, lesson: Lesson) -> None:
    """Title, what it teaches and why, and the picture."""
    play = lesson.play
    console.print(Text(f"{lesson.name}: {play.title}", style="bold underline"))
    for text in filter(None, (play.teaches, play.why)):
        console.print()
        console.print(Text(text.strip()))
    console.print()
    for link in play.docs:
        console.print(Text(link, style="dim"), soft_wrap=True)
    show_heading(console, "The lab")
    for row in draw(lab, play):
        console.print(Text(row), soft_wrap=True)


def show_heading(console: Console, text: str) -> None:
    """A line that begins a part."""
    console.print()
    console.print(Text(text, style="bold"))


def _statement(console: Console, number: int, part: Part) -> None:
    console.print()
    console.print(Text(f"{number}. {without_patterns(part.title)}", style="bold"))
    if part.check and part.check.lacks:
        console.print(Text(f"   unsupported: {part.check.lacks}", style="yellow"))
    if part.check and part.check.needs:
        console.print(Text(f"   (needs {', '.join(part.check.needs)})", style="dim"))
    show_lines(console, part.lines)


def show_lines(console: Console, lines: list[Line] | tuple[Line, ...]) -> None:
    """Commands are never wrapped, so that they can be copied."""
    for host, stay in groupby(lines, key=lambda line: line.host):
        console.print(Text(f"  {host}" if host != HERE else "  here", style="cyan"))
        for line in stay:
            for one in line.environment:
                console.print(Text(f"    export {one.name}=...", style="yellow"), Text(f"# {one.place}", style="dim"))
            command = f"{line.sets}=$({line.command})" if line.sets else line.command
            console.print(Text(indent(without_patterns(command.rstrip()), "    ")), soft_wrap=True)
            if line.wanted:
                patience = f" (within {line.within:.0f} s)" if line.within else ""
                patience += f" (for {line.lasting:.0f} s)" if line.lasting else ""
                console.print(
                    Padding(
                        Text(f"→ {without_patterns(line.wanted)}{patience}", style="green"), (0, 0, 0, 6), expand=False
                    )
                )
