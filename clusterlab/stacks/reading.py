"""Stack files as YAML.

From a path or standard input, with positions, and scalars as Docker's client reads them.
"""

from __future__ import annotations

import math
import re
import sys
from pathlib import Path
from typing import Any, ClassVar

import yaml

from clusterlab.model.problems import InvalidFiles, Problem
from clusterlab.model.source import Document, KeyPath, Loader, Reader, parse, read_text

from .scalars import Scalar, resolve

STANDARD_INPUT = "-"
_PLAIN = "tag:clusterlab,2026:plain"
_YAML = "tag:yaml.org,2002:"
_TYPES: dict[str, tuple[type, ...]] = {"null": (type(None),), "bool": (bool,), "int": (int,), "float": (float, int)}


class _Loader(Loader):
    """A loader that leaves plain scalars to the reader.

    An anchor may be defined again, as in YAML.
    """

    yaml_implicit_resolvers: dict[Any, Any] = {None: [(_PLAIN, re.compile(""))]}  # noqa: RUF012 (PyYAML's own name)

    def compose_node(self, parent: Any, index: Any) -> Any:
        if not self.check_event(yaml.AliasEvent):
            self.anchors.pop(self.peek_event().anchor, None)  # type: ignore[no-untyped-call]
        return super().compose_node(parent, index)

    def get_single_node(self) -> Any:
        """The only document; an empty one behind it is none."""
        self.get_event()  # type: ignore[no-untyped-call]
        first = None if self.check_event(yaml.StreamEndEvent) else self.compose_document()
        while not self.check_event(yaml.StreamEndEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            other = self.compose_document()
            if not isinstance(other, yaml.ScalarNode) or other.tag != _PLAIN or other.value:
                context = "expected a single document in the stream"
                raise yaml.composer.ComposerError(context, None, "but found another document", mark)
        return first


class _Reader(Reader):
    """Reads nodes as gopkg.in/yaml.v3 does.

    `${...}` may stand in keys, and tags of other programs mean nothing.
    """

    loader: ClassVar[type[Loader]] = _Loader
    merge_once: ClassVar[bool] = True

    def key(self, node: yaml.Node) -> str | None:
        if isinstance(node, yaml.ScalarNode) and (
            node.tag == _YAML + "str" or (node.tag == _PLAIN and isinstance(resolve(node.value), str))
        ):
            return str(node.value)
        node.tag = _YAML + "map" if isinstance(node, yaml.MappingNode) else node.tag
        return super().key(node)

    def scalar(self, node: yaml.Node, path: KeyPath) -> Any:
        self.texts[path] = node.value
        kind = node.tag.removeprefix(_YAML)
        if node.tag == _PLAIN:
            return self._finite(node, resolve(node.value))
        if kind in _TYPES:
            return self._finite(node, self._tagged(node, kind))
        if kind in ("binary", "timestamp"):
            return self.tag(node)
        return node.value

    def _finite(self, node: yaml.Node, value: Scalar) -> Scalar:
        if isinstance(value, float) and not math.isfinite(value):
            self.wrong(node, f"{node.value} is a number that Docker cannot send", f'Put it in quotes: "{node.value}".')
            return None
        return value

    def _tagged(self, node: yaml.Node, kind: str) -> Scalar:
        value = resolve(node.value)
        if not isinstance(value, _TYPES[kind]) or (kind == "int" and isinstance(value, bool)):
            self.wrong(node, f"the value is not what its tag !!{kind} says", "Leave the tag out.")
            return None
        return float(value) if kind == "float" and isinstance(value, int) else value

    def tag(self, node: yaml.Node) -> None:
        if node.tag in (_YAML + "binary", _YAML + "timestamp"):
            super().tag(node)


def read_stack_file(path: str) -> Document:
    """The mapping in a stack file, `-` being standard input.

    Raises InvalidFiles with all that is wrong as YAML.
    """
    if path != STANDARD_INPUT:
        return parse(read_text(Path(path)), _Reader(path))
    try:
        text = sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise InvalidFiles([Problem(path, line, 1, "standard input is not UTF-8 text")]) from None
    return parse(text, _Reader(path))
