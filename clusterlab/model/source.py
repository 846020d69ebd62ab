"""YAML files with positions: every value and every key knows its line and column.

What is read is YAML 1.2 with fewer surprises than its usual loaders have: only `true` and `false` are booleans, so that
`on`, `off`, `yes` and `no` are words; only plain decimal numbers are numbers, so that `22:22`, `0644`, `2024-01-01` and
`1e3` stay the text that was written. Anchors, aliases and merge keys (`<<`) work; duplicate keys, keys that are no
text, tags and a second document are errors.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import yaml

from .problems import InvalidFiles, Problem, either

KeyPath = tuple[str | int, ...]
"""The keys and indices that lead to a value, from the top of its file."""

_MOST_NODES = 100_000  # aliases of aliases can make a short file explode
_MERGE = "<<"
_ADVICE = {
    r"'\t'": "Indent with spaces: YAML allows no tabs.",
    "mapping values are not allowed": 'Put text that contains ": " in quotes, and check the indentation.',
    "unexpected end of stream": "A quote that is opened must be closed.",
}


class Position(NamedTuple):
    """Line and column, both from 1."""

    line: int
    column: int


class Loader(yaml.SafeLoader):
    """PyYAML's scanner and parser, with the plain scalars of this module's docstring."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 (PyYAML's own name and shape)


for _tag, _pattern, _first in [
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^-?(?:0|[1-9][0-9]*)$", list("-0123456789")),
    ("float", r"^-?(?:0|[1-9][0-9]*)\.[0-9]+$", list("-0123456789")),
]:
    Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)

_SCALARS: dict[str, Callable[[str], Any]] = {
    "tag:yaml.org,2002:null": lambda text: None,
    "tag:yaml.org,2002:bool": lambda text: text.lower() == "true",
    "tag:yaml.org,2002:int": int,
    "tag:yaml.org,2002:float": float,
    "tag:yaml.org,2002:str": str,
}


@dataclass(frozen=True)
class Document:
    """One file: its value as plain data, and the place of each part.

    Plain lists, dicts and scalars.
    """

    file: str
    value: dict[str, Any]
    values: dict[KeyPath, Position] = field(default_factory=dict, repr=False)
    keys: dict[KeyPath, Position] = field(default_factory=dict, repr=False)
    texts: dict[KeyPath, str] = field(default_factory=dict, repr=False)  # scalars as they were written

    def at(self, path: KeyPath) -> Position:
        """Where the value at `path` stands, or else the nearest thing around it."""
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path, Position(1, 1))

    def at_key(self, path: KeyPath) -> Position:
        """Where the key at the end of `path` stands, or else the nearest thing around it."""
        while path and path not in self.keys:
            if path in self.values:
                return self.values[path]
            path = path[:-1]
        return self.keys.get(path, Position(1, 1))

    def problem(self, path: KeyPath, message: str, remedy: str = "", *, key: bool = False) -> Problem:
        """A problem with the value at `path`, or with its key."""
        position = self.at_key(path) if key else self.at(path)
        return Problem(self.file, position.line, position.column, message, remedy)

    def with_value(self, value: dict[str, Any]) -> Document:
        return replace(self, value=value)


def read(path: Path) -> Document:
    """The mapping that the file at `path` holds.

    Raises InvalidFiles with all that is wrong with it as YAML.
    """
    return parse(read_text(path), Reader(str(path)))


def parse(text: str, reader: Reader) -> Document:
    """The mapping that `text` holds, as `reader` reads it.

    Raises InvalidFiles with all that is wrong with it.
    """
    node = _compose(text, reader)
    if node is None:
        raise InvalidFiles([Problem(reader.file, 1, 1, "the file is empty")])
    if not isinstance(node, yaml.MappingNode):
        found = "a list" if isinstance(node, yaml.SequenceNode) else "a single value"
        message = f"the file must be a mapping (key: value), not {found}"
        raise InvalidFiles([Problem(reader.file, *_start(node), message)])
    value = reader.convert(node, (), ())
    if reader.problems:
        raise InvalidFiles(reader.problems)
    return Document(reader.file, value, reader.values, reader.keys, reader.texts)


def _compose(text: str, reader: Reader) -> yaml.Node | None:
    try:
        return reader.loader(text).get_single_node()
    except yaml.reader.ReaderError as error:
        offset = int(error.position)
        line = text.count("\n", 0, offset) + 1
        column = offset - text.rfind("\n", 0, offset)
        problem = Problem(reader.file, line, column, f"not a text file: character {chr(error.character)!r}")
        raise InvalidFiles([problem]) from None
    except yaml.MarkedYAMLError as error:
        raise InvalidFiles([_syntax_problem(reader.file, error)]) from None
    except RecursionError:
        raise InvalidFiles([Problem(reader.file, 1, 1, "lists and mappings are nested too deeply")]) from None


def _syntax_problem(file: str, error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    position = Position(mark.line + 1, mark.column + 1) if mark else Position(1, 1)
    if (error.context or "").startswith("expected a single document"):
        return Problem(file, *position, "a second YAML document begins", "Write one document per file.")
    what = error.problem or error.context or "cannot be parsed"
    context = ""
    if error.problem and error.context and error.context_mark:
        context = f" ({error.context}, line {error.context_mark.line + 1})"
    remedy = next((advice for sign, advice in _ADVICE.items() if sign in what), "")
    what = what.replace("'<stream end>'", "the end of the file")
    return Problem(file, *position, f"not YAML: {what}{context}", remedy)


def read_text(path: Path) -> str:
    """The text of a file; raises InvalidFiles."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        problem = Problem(str(path), 0, 0, "the file does not exist", _files_near(path))
    except IsADirectoryError:
        problem = Problem(str(path), 0, 0, "is a folder, not a file", _files_near(path / "x.yml"))
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        column = error.start - error.object.rfind(b"\n", 0, error.start)
        problem = Problem(str(path), line, column, f"not UTF-8 text: byte {error.object[error.start]:#04x}")
    except OSError as error:
        problem = Problem(str(path), 0, 0, f"cannot be read: {error.strerror}")
    raise InvalidFiles([problem])


def _files_near(path: Path) -> str:
    """A remedy for a file that is missing: what stands where it was looked for."""
    folder = path.parent
    if not folder.is_dir():
        return f"There is no folder {folder} either."
    names = sorted(entry.name for entry in folder.iterdir() if entry.suffix in (".yml", ".yaml"))
    near = get_close_matches(path.name, names, n=3, cutoff=0.6)
    shown = near or names[:8]
    if not shown:
        return f"There are no .yml files in {'this folder' if folder == Path() else folder}."
    files = either([str(folder / name) for name in shown])
    return f"Did you mean {files}?" if near else f"There is {files}."


def _start(node: yaml.Node) -> Position:
    return Position(node.start_mark.line + 1, node.start_mark.column + 1)


class Reader:
    """Turns nodes into plain values, noting positions and everything that is wrong.

    A file format with other scalars or keys is a subclass with another `loader`, `scalar` or `key`.
    """

    loader: ClassVar[type[Loader]] = Loader
    merge_once: ClassVar[bool] = False  # whether a second `<<` in one mapping is a duplicate key

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.values: dict[KeyPath, Position] = {}
        self.keys: dict[KeyPath, Position] = {}
        self.texts: dict[KeyPath, str] = {}

    def convert(self, node: yaml.Node, path: KeyPath, around: tuple[yaml.Node, ...]) -> Any:
        if len(self.values) >= _MOST_NODES:
            raise InvalidFiles([Problem(self.file, *_start(node), "aliases make this file too large")])
        if any(node is outer for outer in around):
            return self.wrong(node, "an alias stands inside the value that it names")
        self.values[path] = _start(node)
        around = (*around, node)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, around)
        if isinstance(node, yaml.SequenceNode):
            return self._sequence(node, path, around)
        return self.scalar(node, path)

    def wrong(self, node: yaml.Node, message: str, remedy: str = "") -> None:
        problem = Problem(self.file, *_start(node), message, remedy)
        if problem not in self.problems:
            self.problems.append(problem)

    def _mapping(self, node: yaml.MappingNode, path: KeyPath, around: tuple[yaml.Node, ...]) -> dict[str, Any]:
        if node.tag != "tag:yaml.org,2002:map":
            self.tag(node)
        merged: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        own: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        merges = 0
        for key_node, value_node in node.value:
            key = self.key(key_node)
            if key == _MERGE and key_node.style is None:
                if merges and self.merge_once:
                    self.wrong(key_node, "the key '<<' appears twice", "Give it a list: <<: [*one, *other].")
                merges += 1
                for name, pair in self._merge(value_node, around):
                    merged.setdefault(name, pair)
            elif key is not None:
                if key in own:
                    first = _start(own[key][0])
                    self.wrong(key_node, f"the key '{key}' is used twice: first in line {first.line}")
                own.setdefault(key, (key_node, value_node))
        result = {}
        for key, (key_node, value_node) in {**merged, **own}.items():
            self.keys[(*path, key)] = _start(key_node)
            result[key] = self.convert(value_node, (*path, key), around)
        return result

    def key(self, node: yaml.Node) -> str | None:
        if isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:str":
            if "${" in node.value:
                self.wrong(node, f"'{node.value}': ${{...}} is allowed in values, not in keys")
            return str(node.value)
        if isinstance(node, yaml.ScalarNode):
            self.wrong(node, f"the key {node.value or 'null'} must be text", f'Put it in quotes: "{node.value}".')
        else:
            self.wrong(
                node, "a key must be text, not a list or a mapping", "Put text that begins with { or [ in quotes."
            )
        return None

    def _merge(
        self, node: yaml.Node, around: tuple[yaml.Node, ...]
    ) -> Iterator[tuple[str, tuple[yaml.Node, yaml.Node]]]:
        """The keys that `<<` brings.

        Of one mapping, or of each of a list, the first winning.
        """
        if isinstance(node, yaml.SequenceNode):
            for item in node.value:
                yield from self._merge(item, around)
        elif not isinstance(node, yaml.MappingNode):
            self.wrong(node, "'<<' must name a mapping, or a list of mappings")
        elif any(node is outer for outer in around):
            self.wrong(node, "an alias stands inside the value that it names")
        else:
            inner = (*around, node)
            own = [(self.key(key_node), (key_node, value)) for key_node, value in node.value]
            yield from ((key, pair) for key, pair in own if key is not None and key != _MERGE)
            for key, (_, value) in own:
                if key == _MERGE:
                    yield from self._merge(value, inner)

    def _sequence(self, node: yaml.SequenceNode, path: KeyPath, around: tuple[yaml.Node, ...]) -> list[Any]:
        if node.tag != "tag:yaml.org,2002:seq":
            self.tag(node)
        return [self.convert(item, (*path, index), around) for index, item in enumerate(node.value)]

    def scalar(self, node: yaml.Node, path: KeyPath) -> Any:
        self.texts[path] = node.value
        if node.tag not in _SCALARS:
            return self.tag(node)
        try:
            return _SCALARS[node.tag](node.value)
        except ValueError:
            return self.wrong(node, f"'{node.value}' does not match its tag")

    def tag(self, node: yaml.Node) -> None:
        tag = node.tag.replace("tag:yaml.org,2002:", "!!")
        self.wrong(node, f"the tag {tag} is not supported", "Leave the tag out.")
