"""Files named by `env_file`: lines KEY=VALUE, taken as they are.

Source: pkg/kvfile of docker/cli. Quotes and trailing blanks stay, nothing is substituted; a key alone takes the shell's
value, or is left out. No message shows a value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from clusterlab.model.problems import Problem

from .field import Field
from .given import Given, Place

Environment = dict[str, Given[str | None]]


def read_env_file(field: Field, folder: Path, environment: Mapping[str, str]) -> Environment:
    """The variables of the file that `field` names, relative to `folder`.

    Notes all that is wrong in it.
    """
    name = field.text()
    if name is None:
        return {}
    path = folder / name.value
    try:
        lines = path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
    except OSError as error:
        field.wrong(f"env_file {field.written} cannot be read: {error.strerror}", f"It was looked for in {folder}/")
        return {}
    variables: Environment = {}
    for number, line in enumerate(lines, start=1):
        try:
            variables.update(_read(line, Place(str(path), number, 1), environment))
        except _Wrong as error:
            field.source.problems.append(error.problem)
    return variables


class _Wrong(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def _read(line: bytes, place: Place, environment: Mapping[str, str]) -> Iterator[tuple[str, Given[str | None]]]:
    try:
        text = line.removesuffix(b"\r").decode().lstrip()
    except UnicodeDecodeError:
        raise _Wrong(place.problem("the line is not UTF-8 text")) from None
    if not text or text.startswith("#"):
        return
    key, has_value, value = text.partition("=")
    if not key:
        raise _Wrong(place.problem("the line begins with =: the name of the variable is missing", "Write NAME=VALUE."))
    if " " in key or "\t" in key:
        word = key.split()[0]
        remedy = "Leave `export` out." if word == "export" else "Write NAME=VALUE, without blanks before the =."
        raise _Wrong(place.problem(f"the name of the variable has a blank in it, after '{word}'", remedy))
    if has_value:
        yield key, Given(value, place)
    elif key in environment:
        yield key, Given(environment[key], place)
