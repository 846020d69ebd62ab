"""What makes a function a verb.

An Invoke task with a declared lock, whose errors are shown and become exit codes.
"""

from __future__ import annotations

import functools
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import FrameType
from typing import TYPE_CHECKING, Any

from invoke import Context, Task
from invoke.exceptions import Exit

from clusterlab.errors import ClusterlabError
from clusterlab.pipeline.lock import Lock, Unlocked

if TYPE_CHECKING:
    from rich.console import Console

INVENTORY = "the inventory: a file, or the name of one below inventory/ (default: inventory/default.yml)"
PLAYBOOKS = "the folder with the playbooks"
PLAY = "a play: its path below the playbooks without .yml; without any, all plays"
DRY_RUN = "show what would be done, and change nothing"
FRESH = "create machines from their image, although the lab was saved when it was provisioned"
JSON = "write the results to this file as JSON (- for standard output)"


def out() -> Console:
    """Where results go."""
    from clusterlab.reports.console import PlainConsole

    return PlainConsole(soft_wrap=False)


def err() -> Console:
    """Where progress and errors go."""
    from clusterlab.reports.console import PlainConsole

    return PlainConsole(stderr=True)


@dataclass(frozen=True)
class Call:
    """One use of a verb."""

    name: str
    lock: Lock

    def dry(self, dry_run: bool) -> Call:
        """This call, without its lock when it changes nothing."""
        return replace(self, lock=Unlocked("a dry run changes nothing")) if dry_run else self


class Verb(Task[Callable[..., None]]):
    """A task whose arguments can be read more than once.

    Invoke's empties `help` the first time.
    """

    lock: Lock

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> Any:
        kept = dict(self.help)
        try:
            return super().get_arguments(ignore_unknown_help)
        finally:
            self.help = kept


def verb(
    lock: Lock, help: dict[str, str], lists: tuple[str, ...] = (), interrupted: str = ""
) -> Callable[[Callable[..., None]], Verb]:
    """Make a verb of a function whose first parameter is the Call.

    `lock` declares how it excludes other commands. `help` explains its other parameters; `lists` names those that may
    be given repeatedly. `interrupted` says what is true after an interrupt; without it, the verb can be repeated.
    """

    def decorate(function: Callable[..., None]) -> Verb:
        name = function.__name__.replace("_", "-")
        call = Call(name, lock)

        @functools.wraps(function)
        def body(context: Context, *args: Any, **kwargs: Any) -> None:
            before = signal.signal(signal.SIGTERM, _interrupt)
            try:
                function(call, *args, **kwargs)
            except ClusterlabError as error:
                from clusterlab.reports.terminal import show_error

                show_error(err(), error)
                raise Exit(code=error.exit_code) from error
            except KeyboardInterrupt as interrupt:
                then = interrupted or f"`clusterlab {name}` continues from here."
                err().print(f"[bold red]interrupted[/bold red]: {then}", highlight=False)
                raise Exit(code=3) from interrupt
            finally:
                signal.signal(signal.SIGTERM, before)

        made = Verb(body, help=help, positional=[], iterable=list(lists), auto_shortflags=False)
        made.lock = lock
        return made

    return decorate


def _interrupt(number: int, frame: FrameType | None) -> None:
    """SIGTERM is handled as Ctrl-C is: what is under way is ended in order."""
    raise KeyboardInterrupt
