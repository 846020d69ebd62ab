"""The program `clusterlab`, and the tasks that `inv` and `fab` show."""

from __future__ import annotations

import os
import sys
import traceback
from contextlib import ExitStack, nullcontext
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from invoke import Collection

_SYSTEM = "/usr/local/sbin:/usr/sbin:/sbin"
"""Where tools such as ip and mkfs are, and where neither cron nor an ordinary user's shell looks."""


def collection() -> Collection:
    """All verbs as Invoke tasks."""
    from invoke import Collection

    from clusterlab.cli.registry import load_verbs

    return Collection(*load_verbs())


_WATCHING = ExitStack()


def tasks() -> Collection:
    """All verbs for the programs of Invoke and Fabric, which are given this process for good."""
    from clusterlab.cli.pipes import guard_output
    from clusterlab.cli.verbose import by_variable, shown_steps

    guard_output()
    if by_variable():
        _WATCHING.enter_context(shown_steps())
    return collection()


def _show_defect(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print the traceback of a bug in clusterlab.

    Without the secrets and control characters of what it met.
    """
    from clusterlab.redaction import clean

    sys.stderr.write(clean("".join(traceback.format_exception(kind, error, trace))))


def main(argv: list[str] | None = None) -> None:
    """Run the command line; ends the process with an exit code of 0, 1, 2 or 3.

    Nothing is imported before this: Ctrl-C in the second that imports take is an interrupt as any other.
    """
    try:
        _main(argv)
    except KeyboardInterrupt:  # a verb that has begun says itself what is true then
        sys.stderr.write("interrupted: run the same command again.\n")
        sys.exit(3)


def _main(argv: list[str] | None) -> None:
    from clusterlab.cli.pipes import guard_output
    from clusterlab.errors import ClusterlabError

    guard_output()
    os.environ["PATH"] = f"{os.environ.get('PATH', os.defpath)}:{_SYSTEM}"
    sys.excepthook = _show_defect
    words = (sys.argv if argv is None else argv)[1:]
    try:
        try:
            if words[:1] == ["--complete"]:
                _complete(words[1:])
            else:
                _run(argv)
        finally:
            sys.stdout.flush()  # what cannot be written is an error, not a traceback when Python ends
    except ClusterlabError as error:
        from clusterlab.cli.verb import err
        from clusterlab.reports.terminal import show_error

        show_error(err(), error)
        sys.exit(error.exit_code)


def _complete(words: list[str]) -> None:
    """Answer a completion script, without what only verbs need.

    Each key press waits for it.
    """
    from clusterlab.cli.completion.values import values

    print("\n".join(values(words)))


def _run(argv: list[str] | None) -> None:
    from clusterlab import __version__
    from clusterlab.cli.program import Clusterlab, OwnConfig
    from clusterlab.cli.verbose import by_variable, shown_steps, without_flag

    program = Clusterlab(
        version=__version__,
        name="clusterlab",
        binary="clusterlab",
        binary_names=["clusterlab"],
        namespace=collection(),
        config_class=OwnConfig,
    )
    words, verbose = without_flag(sys.argv if argv is None else argv)
    with shown_steps() if verbose or by_variable() else nullcontext():
        program.run(words)
