"""Which words of a command line are stack files, and which are plays.

Modules of verbs import it for the words of help, so it imports models, which take long, where it needs them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from clusterlab.errors import UsageError

if TYPE_CHECKING:
    from clusterlab.model.stack_files import StackFiles

COMPOSE_FILE = "a stack file, - for standard input; repeated ones are merged (short: -c)"
PRUNE = "remove services of stacks that are no longer in their files"
RESOLVE = "when registries are asked for digests: always, changed or never (default: never in labs, else changed)"
AUTH = "pass your registry logins to the nodes, from your Docker configuration"
ADOPT = "also change stacks that somebody else deployed; they become the lab's"
STACK = "the stack's name (default: that of the first file's folder)"
WITHOUT = "a statement derived from stack files to leave out: KEY, or KEY:SERVICE"


def is_stack(word: str) -> bool:
    """Whether a word of the command line is a stack file; `-` is standard input."""
    from clusterlab.model.play_files import is_stack_file
    from clusterlab.model.stack_files import STANDARD_INPUT

    return word == STANDARD_INPUT or is_stack_file(Path(word))


def plays_and_stacks(
    words: Sequence[str], compose_files: Sequence[str], name: str
) -> tuple[list[str], list[StackFiles]]:
    """The plays among `words`, and the stacks.

    Each file among them is one, and all of `compose_files` are one.

    Raises UsageError when `name` could mean more than one stack, or none.
    """
    from clusterlab.model.stack_files import StackFiles

    files = [*([list(compose_files)] if compose_files else []), *([word] for word in words if is_stack(word))]
    if name and len(files) != 1:
        found = f"there are {len(files)} stacks" if files else "no stack file is given"
        raise UsageError(f"--stack {name}: {found}", remedy="Name the files of one stack, each with -c.")
    plays = [word for word in words if not is_stack(word)]
    require_files(plays)
    return plays, [StackFiles(files=one, name=name) for one in files]


def require_files(plays: Sequence[str]) -> None:
    """Raise UsageError for a play that is written as a file which does not exist."""
    for word in plays:
        if word.endswith((".yml", ".yaml")) and not Path(word).exists():
            raise UsageError(f"{word}: the file does not exist", remedy="Name a stack file, or a play without .yml.")


def check_without(keys: Sequence[str]) -> None:
    """Raise UsageError for a key that no statement has."""
    if not keys:
        return
    from clusterlab.model.problems import suggest
    from clusterlab.stacks.statements import KEYS

    for key in keys:
        if key.partition(":")[0] not in KEYS:
            raise UsageError(f"--without: there is no statement '{key}'", remedy=suggest(key, KEYS, "Statements"))
