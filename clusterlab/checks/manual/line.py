"""One line that a person types, and what it must show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from clusterlab.model.matcher import MatcherSpec

from .shell_matchers import as_wanted

HERE = ""
"""The host of a line that is typed on this machine."""


@dataclass(frozen=True)
class Variable:
    """A variable that a command takes from the shell that it is typed in.

    As with `docker run --env NAME`.

    Values of a play's environments are shown to nobody, whatever they are: a person exports them first. `place` says
    where the value stands, such as "containers.db.environment of the play volumes/database".
    """

    name: str
    place: str
    value: str = field(repr=False)


def variables(environment: Mapping[str, object], place: str) -> tuple[Variable, ...]:
    """The variables of one environment."""
    return tuple(Variable(name, place, str(value)) for name, value in environment.items())


@dataclass(frozen=True)
class Line:
    """A command for one host.

    `wanted` says what must be seen, and `proof` is the same as shell commands that fail when it is not: without it the
    command itself must succeed. `sets` names a variable that takes what the command prints: later lines use it, on
    whatever host they are typed. `within` is for how many seconds it may be tried again, and
    `lasting` for how many it must go on to hold. `environment` has to be exported before.
    """

    host: str
    command: str
    wanted: str = ""
    proof: str = ""
    sets: str = ""
    within: float = 0
    lasting: float = 0
    environment: tuple[Variable, ...] = ()

    @property
    def script(self) -> str:
        """Shell commands that do it and fail when the result is not as expected.

        They can be used anywhere in a script.
        """
        text = self.proof or self.command
        if self.sets:
            return f"{self.sets}=$({text})"
        if self.lasting:
            return f"{_until(text, self.within)} && {_as_long_as(text, self.lasting)}"
        if self.within:
            return _until(text, self.within)
        return text if text.startswith("(\n") and text.endswith("\n)") else f"(\n{text}\n)"


def _until(text: str, seconds: float) -> str:
    late = '[ "$(date +%s)" -lt "$end" ] || exit 1'
    return f"(end=$(($(date +%s) + {seconds:.0f})); until\n{text}\ndo {late}; sleep 1; done)"


def _as_long_as(text: str, seconds: float) -> str:
    over = '[ "$(date +%s)" -lt "$end" ] || exit 0'
    return f"(end=$(($(date +%s) + {seconds:.0f})); while\n{text}\ndo {over}; sleep 1; done; exit 1)"


def ends(
    command: str,
    exits: Sequence[int] = (0,),
    stdout: MatcherSpec | None = None,
    stderr: MatcherSpec | None = None,
) -> str:
    """The proof that a command ends with one of the exit codes, printing as expected.

    `command` is one command, or a list of them in parentheses.
    """
    inside = f" {command}" if command.startswith("(") else command  # "$((" would begin arithmetic
    if stdout is not None and stderr is not None:
        wrote = f"{as_wanted(stdout)} && found=$said && {as_wanted(stderr)}"
        kept = 'code=$?; said=$(cat "$errors"); rm "$errors"'
        return f'errors=$(mktemp) && {{ found=$({inside} 2> "$errors"); {kept}; {_code(exits, wrote, "$code")}; }}'
    if stdout is None and stderr is None:
        return command if list(exits) == [0] else f"{command}; {_code(exits, ':')}"
    asked = f"found=$({inside})" if stderr is None else f"found=$({inside} 2>&1 > /dev/null)"
    spec = stdout if stderr is None else stderr
    assert spec is not None
    return f"{asked} && {as_wanted(spec)}" if list(exits) == [0] else f"{asked}; {_code(exits, as_wanted(spec))}"


def _code(exits: Sequence[int], then: str, code: str = "$?") -> str:
    return f"case {code} in {'|'.join(map(str, exits))}) {then} ;; *) false ;; esac"


def prints(command: str, spec: MatcherSpec) -> str:
    """The proof that a command succeeds and prints what is wanted."""
    return ends(command, (0,), spec)
