"""The `stack` of a play.

Stack files that are deployed as they are, and the variables that they see.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import Field

from .base import Issue, Model, Strings
from .compose_forms import Environment
from .problems import Problem

STANDARD_INPUT = "-"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_STACK_NAME = re.compile(r"[a-zA-Z0-9](?:[-_]*[A-Za-z0-9]+)*")


class StackFiles(Model):
    """Docker stack files, deployed as `docker stack deploy` does."""

    files: Strings = Field(description="stack files, merged in their order; relative to the play")
    name: str = Field(default="", description="the stack's name (default: that of the first file's folder)")
    environment: Environment = Field(
        default_factory=dict, repr=False, description="variables of the files, besides those of the shell"
    )
    env_file: Strings = Field(default_factory=list, description="files with NAME=VALUE, for variables of the files")

    def issues(self) -> Iterator[Issue]:
        if not self.files:
            yield Issue(("files",), "a stack needs at least one file", "For example files: [stack.yml].")
        if self.name and not _STACK_NAME.fullmatch(self.name):
            yield Issue(("name",), f"'{self.name}' is not a stack's name", "Use letters, digits, - and _.")

    def paths(self, folder: Path) -> list[str]:
        """The files, relative ones in `folder`."""
        return [file if file == STANDARD_INPUT else str(folder / file) for file in self.files]

    def variables(self, folder: Path) -> tuple[dict[str, str], list[Problem]]:
        """What the files' variables stand for, and what is wrong with the `env_file`s.

        `environment` wins over all.
        """
        found, problems = dict(os.environ), []
        for file in self.env_file:
            read, wrong = _read(folder / file)
            found |= read
            problems += wrong
        return found | {key: str(value) for key, value in self.environment.items()}, problems


def _read(path: Path) -> tuple[Mapping[str, str], list[Problem]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        return {}, [Problem(str(path), 0, 0, f"the env_file cannot be read: {reason}")]
    found: dict[str, str] = {}
    problems = []
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        key, equals, value = text.partition("=")
        if equals and _NAME.fullmatch(key):
            found[key] = value
        else:
            problems.append(Problem(str(path), number, 1, "the line is not NAME=VALUE"))
    return found, problems
