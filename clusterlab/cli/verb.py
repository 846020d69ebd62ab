"""What makes a function a verb: an Invoke task whose errors are shown and become exit codes."""

from __future__ import annotations

import functools
import signal
from collections.abc import Callable
from types import FrameType
from typing import Any

from invoke import Context, Task
from invoke.exceptions import Exit
from rich.console import Console

from clusterlab.errors import ClusterlabError

INVENTORY = "the inventory: a file, or the name of one below inventory/ (default: inventory/default.yml)"
PLAYBOOKS = "the folder with the playbooks"
PLAY = "a play: its path below the playbooks without .yml; none means all"
JSON = "write the results to this file as JSON (- for standard output)"


def out() -> Console:
    """Where results go."""
    from clusterlab.reports.console import PlainConsole

    return PlainConsole(soft_wrap=False)


def err() -> Console:
    """Where progress and errors go."""
    from clusterlab.reports.console import PlainConsole

    return PlainConsole(stderr=True)


class Verb(Task[Callable[..., None]]):
    """A task that can be asked for its arguments more than once: Invoke's empties `help` the first time."""

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> Any:
        kept = dict(self.help)
        try:
            return super().get_arguments(ignore_unknown_help)
        finally:
            self.help = kept


def verb(help: dict[str, str], lists: tuple[str, ...] = ()) -> Callable[[Callable[..., None]], Verb]:
    """Make a verb of a function. `help` explains its parameters; `lists` names those that may be given repeatedly."""

    def decorate(function: Callable[..., None]) -> Verb:
        @functools.wraps(function)
        def body(context: Context, *args: Any, **kwargs: Any) -> None:
            before = signal.signal(signal.SIGTERM, _interrupt)
            try:
                function(context, *args, **kwargs)
            except ClusterlabError as error:
                from clusterlab.reports.terminal import show_error

                show_error(err(), error)
                raise Exit(code=error.exit_code) from error
            except KeyboardInterrupt as interrupt:
                err().print(f"[bold red]interrupted[/bold red]: {_continue(function.__name__)}", highlight=False)
                raise Exit(code=3) from interrupt
            finally:
                signal.signal(signal.SIGTERM, before)

        return Verb(body, help=help, positional=[], iterable=list(lists), auto_shortflags=False)

    return decorate


def _interrupt(number: int, frame: FrameType | None) -> None:
    """SIGTERM is handled as Ctrl-C is: what is under way is ended in order."""
    raise KeyboardInterrupt


_AFTERWARDS = {
    "snapshot": "the machines run on, and nothing was kept.",
    "restore": "`clusterlab restore NAME` begins again, `clusterlab up` starts what does not run.",
}


def _continue(name: str) -> str:
    if name in _AFTERWARDS:
        return _AFTERWARDS[name]
    again = f"`clusterlab {name.replace('_', '-')}` goes on from here"
    return f"{again}; `clusterlab down` removes the machines." if name in ("up", "run") else f"{again}."
