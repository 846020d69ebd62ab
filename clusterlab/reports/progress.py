"""Work under way, shown to a person.

Live on a terminal, as plain lines elsewhere.

On a terminal every task is one moving line until it ends, then one line that stays. Elsewhere (a file, a CI log) a
task that ends within two seconds is one line; a longer one says now and then that it is still going on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress as Bars
from rich.progress import SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from clusterlab import progress
from clusterlab.redaction import clean

FIRST_WORD_AFTER = 2.0  # seconds of silence that a person bears
NEXT_WORD_AFTER = 30.0


def seconds_text(seconds: float) -> str:
    """Seconds as a person reads them: 0.4 s, 12 s, 2 min 05 s."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"


def line(subject: str, text: str, mark: str, style: str, seconds: float | None = None) -> str:
    """One line of progress as rich markup: mark, subject, text, seconds."""
    took = f" [dim]{seconds_text(seconds)}[/dim]" if seconds is not None else ""
    return f"[{style}]{mark}[/{style}] [bold]{_markup(subject)}[/bold] {_markup(text)}{took}"


def _markup(text: str) -> str:
    """Text that hosts may influence, as markup.

    What they print, and what they are called.
    """
    return escape(clean(text))


class _LiveTask:
    def __init__(self, bars: Bars, bar: TaskID, doing: str) -> None:
        self._bars, self._bar, self._doing = bars, bar, doing
        self.complaint = ""

    def update(self, text: str) -> None:
        self._bars.update(self._bar, doing=_markup(f"{self._doing}: {text}"))

    def bad(self, text: str) -> None:
        self.complaint = text


class LiveProgress:
    """Moving lines on a terminal. Use as a context manager."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Bars(
            SpinnerColumn(style="cyan"),
            TextColumn("[bold]{task.fields[subject]}[/bold] {task.fields[doing]}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )

    def __enter__(self) -> LiveProgress:
        self._bars.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bars.stop()

    @contextmanager
    def task(self, subject: str, doing: str) -> Iterator[progress.Task]:
        began = time.monotonic()
        bar = self._bars.add_task("", subject=_markup(subject), doing=_markup(doing), total=None)
        ended = line(subject, f"{doing}: failed", "✘", "red")
        try:
            task = _LiveTask(self._bars, bar, doing)
            yield task
            took = time.monotonic() - began
            ended = line(subject, doing, "✔", "green", took)
            if task.complaint:
                ended = line(subject, f"{doing}: {task.complaint}", "✘", "red", took)
        finally:
            self._bars.remove_task(bar)
            self._bars.refresh()  # otherwise its line stays until the next refresh, in front of what others print
            self._console.print(ended, soft_wrap=True, highlight=False)

    def say(self, subject: str, text: str) -> None:
        self._console.print(line(subject, text, "•", "cyan"), soft_wrap=True, highlight=False)


@dataclass
class _PlainTask:
    subject: str
    doing: str
    began: float = field(default_factory=time.monotonic)
    last: str = ""
    complaint: str = ""
    words: int = 0

    def update(self, text: str) -> None:
        self.last = text

    def bad(self, text: str) -> None:
        self.complaint = text

    def due(self, now: float) -> bool:
        """Whether it has been silent for too long."""
        return now - self.began >= FIRST_WORD_AFTER + self.words * NEXT_WORD_AFTER


class PlainProgress:
    """Plain lines for files and CI logs. Use as a context manager."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._tasks: list[_PlainTask] = []
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._ticker = threading.Thread(target=self._tick, name="progress", daemon=True)

    def __enter__(self) -> PlainProgress:
        self._ticker.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._ticker.join()

    def _tick(self) -> None:
        while not self._over.wait(0.5):
            now = time.monotonic()
            with self._lock:
                due = [task for task in self._tasks if task.due(now)]
            for task in due:
                task.words += 1
                so_far = f" ({task.last})" if task.last else ""
                self._print(f"… {task.subject}: {task.doing}{so_far}, {seconds_text(now - task.began)} so far")

    def _print(self, text: str) -> None:
        self._console.print(_markup(text), soft_wrap=True, highlight=False)

    @contextmanager
    def task(self, subject: str, doing: str) -> Iterator[progress.Task]:
        task = _PlainTask(subject, doing)
        with self._lock:
            self._tasks.append(task)
        ended = f"✘ {subject}: {doing}: failed"
        try:
            yield task
            took = seconds_text(time.monotonic() - task.began)
            ended = (
                f"✘ {subject}: {doing}: {task.complaint}, {took}" if task.complaint else f"✔ {subject}: {doing}, {took}"
            )
        finally:
            with self._lock:
                self._tasks.remove(task)
            self._print(ended)

    def say(self, subject: str, text: str) -> None:
        self._print(f"• {subject}: {text}")


@contextmanager
def progress_on(console: Console) -> Iterator[progress.Progress]:
    """The form of progress that suits where `console` writes to."""
    with LiveProgress(console) if console.is_terminal else PlainProgress(console) as shown:
        yield shown
