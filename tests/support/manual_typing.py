"""Typing the lines of a lesson, as a person does: over SSH, in order, and going on when one fails."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from clusterlab.checks.manual.line import HERE, Line
from clusterlab.manual.lesson import Part
from clusterlab.remote import Hosts

ROOT = Path(__file__).parents[2]
_PROGRAM = f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m clusterlab "$@"\n'


@dataclass
class Typist:
    """Remembers what was looked up, and what did not hold."""

    hosts: Hosts
    scratch: Path
    known: dict[str, str] = field(default_factory=dict)

    def type(self, parts: Sequence[Part]) -> dict[str, str]:
        """The titles of the parts that do not hold, each with what failed."""
        wrong: dict[str, str] = {}
        for part in parts:
            for line in part.lines:
                problem = self._type(line)
                if problem:
                    wrong[part.title] = wrong.get(part.title, "") + problem
        return wrong

    def _type(self, line: Line) -> str:
        known = "".join(f"{name}='{value}'\n" for name, value in self.known.items())
        known += "".join(f"export {one.name}={shlex.quote(one.value)}\n" for one in line.environment)
        if line.host == HERE:
            ended = subprocess.run(
                ["sh", "-c", line.script], capture_output=True, text=True, check=False, env=self._environment()
            )
            return f"{line.script}\n{ended.stderr}" if ended.returncode else ""
        text = f'{line.script}\nprintf %s "${line.sets}"' if line.sets else line.script
        completed = self.hosts[line.host].run(known + text, timeout=150 + line.within + line.lasting)
        if line.sets:
            self.known[line.sets] = completed.stdout
        return "" if completed.ok else f"{line.host}: {line.script}\n{completed.exit} {completed.output[-1500:]}\n"

    def _environment(self) -> dict[str, str]:
        """With this clusterlab as the program of that name."""
        program = self.scratch / "clusterlab"
        if not program.exists():
            program.write_text(_PROGRAM)
            program.chmod(0o755)
        return {**os.environ, "PATH": f"{self.scratch}:{os.environ['PATH']}"}
