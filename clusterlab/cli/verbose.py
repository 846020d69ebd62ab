"""`-v`: what is done on hosts, step by step, on standard error."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clusterlab.remote.trace import Step

FLAGS = ("-v", "--verbose")
VARIABLE = "CLUSTERLAB_VERBOSE"
"""Set to anything, it is `-v` for every command; `inv` and `fab`, whose options are their own, have nothing else."""
HELP = "also show each command, request to an engine and connection, as it ends"


def without_flag(argv: Sequence[str]) -> tuple[list[str], bool]:
    """The command line without `-v`, and whether it was given; what follows `--` is somebody else's."""
    end = argv.index("--") if "--" in argv else len(argv)
    before = [word for word in argv[:end] if word not in FLAGS]
    return [*before, *argv[end:]], len(before) < end


def by_variable() -> bool:
    """Whether the environment asks for it."""
    return bool(os.environ.get(VARIABLE))


@contextmanager
def shown_steps() -> Iterator[None]:
    """Show each step on a host that ends inside the block."""
    from clusterlab.remote.trace import watching

    with watching(_show):
        yield


def _show(step: Step) -> None:
    """One write, so that lines of several threads do not mix; moving lines of progress stay below it."""
    from clusterlab.reports.progress import seconds_text

    sys.stderr.write(f"  {step.host}: {step.what} -> {step.ended}, {seconds_text(step.seconds)}\n")
