"""One value of a stack file with its place, and readers for each type.

Every reader returns None for a value that is wrong, after it has noted what is wrong and where: so one pass over a file
finds everything. No message shows what a variable was replaced with: it may be a password.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from clusterlab.model.error_text import dotted
from clusterlab.model.problems import Problem, either, near_misses
from clusterlab.model.source import Document, KeyPath

from .given import Given, Place
from .quantities import nanoseconds
from .scalars import Scalar, Timestamp, as_text
from .variables import Substituted
from .versions import Version
from .wrong_type import how_to_write, named, unknown_key

T = TypeVar("T")


@dataclass
class Source:
    """A file that is being read.

    Its values, what variables did to them, and what is wrong so far.
    """

    substituted: Substituted
    version: Version
    problems: list[Problem] = field(default_factory=list)

    @property
    def document(self) -> Document:
        return self.substituted.document

    def top(self) -> Field:
        return Field(self.document.value, (), self)


@dataclass(frozen=True)
class Field:
    """A value at a path of a file."""

    value: Any = field(repr=False)
    path: KeyPath
    source: Source = field(repr=False)

    @property
    def place(self) -> Place:
        """Where the key stands, or the item of a list."""
        document = self.source.document
        position = document.at_key(self.path) if self.path and isinstance(self.path[-1], str) else None
        return Place(document.file, *(position or document.at(self.path)))

    @property
    def written(self) -> str:
        """A scalar as it stands in the file, its variables not replaced."""
        return self.source.document.texts.get(self.path, "")

    @property
    def varies(self) -> bool:
        """Whether a variable went into the value."""
        return self.path in self.source.substituted.changed

    def wrong(self, message: str, remedy: str = "") -> None:
        """Note what is wrong with this value, unless its variables are wrong already."""
        if self.path not in self.source.substituted.failed:
            self.source.problems.append(self.place.problem(f"{dotted(self.path)}: {message}", remedy))

    def given(self, value: T) -> Given[T]:
        return Given(value, self.place, self.written)

    @property
    def failed(self) -> bool:
        return self.path in self.source.substituted.failed

    # Scalars

    def text(self) -> Given[str] | None:
        """Text; a number or boolean without quotes is none."""
        if isinstance(self.value, str) and not isinstance(self.value, Timestamp) and not self.failed:
            return self.given(self.value)
        self.expected("text")
        return None

    def boolean(self) -> Given[bool] | None:
        if isinstance(self.value, bool):
            return self.given(self.value)
        self.expected("true or false")
        return None

    def whole(self, least: int | None = 0, most: int = 2**63 - 1, *, truncated: bool = False) -> Given[int] | None:
        """A whole number.

        2.0 is one too, and others where Docker cuts off their decimals.
        """
        number = self.value
        if isinstance(number, float) and (truncated or number.is_integer()):
            number = int(number)
        if not isinstance(number, int) or isinstance(number, bool):
            self.expected("a whole number")
        elif least is not None and number < least:
            self.wrong(f"must be at least {least}")
        elif number > most:
            self.wrong(f"must be at most {most}")
        else:
            return self.given(number)
        return None

    def number(self) -> Given[float] | None:
        if isinstance(self.value, int | float) and not isinstance(self.value, bool):
            return self.given(self.value)
        self.expected("a number")
        return None

    def duration(self) -> Given[int] | None:
        """A duration in nanoseconds."""
        text = self._quoted("a duration with its unit", "s")
        return self.parsed(text, nanoseconds, "a duration such as 1m30s (units: h, m, s, ms)")

    def one_of(self, *choices: str) -> Given[str] | None:
        """One of a few words."""
        text = self.text()
        if text is None or text.value in choices:
            return text
        words = [choice for choice in choices if choice]
        near = near_misses(self.written, words)
        remedy = f"Did you mean {either([repr(name) for name in near])}?" if near else ""
        self.wrong(f"must be {either(words)}, not '{self.written}'", remedy)
        return None

    def parsed(self, text: Given[str] | None, parse: Callable[[str], T], expected: str) -> Given[T] | None:
        """What `parse` makes of a text.

        It raises ValueError for one that is not as expected.
        """
        if text is None:
            return None
        try:
            return self.given(parse(text.value))
        except ValueError:
            self.wrong(f"must be {expected}, not '{self.written}'")
            return None

    def _quoted(self, expected: str, unit: str) -> Given[str] | None:
        """Text; for a number the remedy is a unit."""
        if isinstance(self.value, int | float) and not isinstance(self.value, bool):
            self.wrong(f"must be {expected}, not the number {self.written}", f"Write {self.written}{unit}.")
            return None
        return self.text()

    # Lists and mappings

    def items(self, read: Callable[[Field], T | None], *, unique: bool = True) -> tuple[T, ...]:
        """What `read` makes of the items of a list.

        An item that stands in it twice is wrong, as for Docker.
        """
        if not isinstance(self.value, list):
            self.expected("a list")
            return ()
        fields = [Field(item, (*self.path, index), self.source) for index, item in enumerate(self.value)]
        for index, item in enumerate(fields if unique else []):
            if any(_same(item.value, other.value) for other in fields[:index]):
                item.wrong(f"the same item is in {dotted(self.path)} twice", "Remove one of the two.")
        return tuple(result for item in fields if (result := read(item)) is not None)

    def entries(self) -> Iterator[tuple[str, Field]]:
        """The keys of a mapping and their values."""
        if not isinstance(self.value, dict):
            self.expected("a mapping")
            return
        for key, value in self.value.items():
            yield key, Field(value, (*self.path, key), self.source)

    def keys(
        self,
        known: Mapping[str, str],
        *,
        extensions: str | None = None,
        refused: Mapping[str, tuple[str, str]] | None = None,
        lenient: bool = False,
    ) -> Keys:
        """The values of a mapping by key.

        `known` has the version that each key came with ("" the first).

        `extensions` is the version that x- keys came with here, None where they cannot stand.
        `refused` has the message and remedy of keys that people write; `lenient` leaves other keys alone.
        """
        found: dict[str, Field] = {}
        unknown: list[str] = []
        for key, value in self.entries():
            if key in known:
                found[key] = value
                value._needs(known[key])
            elif extensions is not None and key.startswith("x-"):
                value._needs(extensions)
            elif refused and key in refused:
                value.wrong(*refused[key])
            elif lenient:
                unknown.append(key)
            else:
                value.wrong(*unknown_key(key, known))
        return Keys(self, found, tuple(unknown))

    def _needs(self, version: str) -> None:
        if not self.source.version.has(version):
            self.wrong(
                f"needs version {version} of the file format, not {self.source.version}",
                "Leave `version` out: the latest is then used.",
            )
            self.source.substituted.failed.add(self.path)  # nothing else need be said of the value

    def labels(self) -> dict[str, Given[str]] | None:
        """A mapping or a list KEY=VALUE as text; null is empty text.

        None when it is neither.
        """
        pairs = self.pairs()
        return None if pairs is None else {key: Given(value.value or "", value.place) for key, value in pairs.items()}

    def pairs(self, separator: str = "=") -> dict[str, Given[str | None]] | None:
        """A mapping of text, numbers and null, or a list of KEY=VALUE.

        A key alone has no value.
        """
        if isinstance(self.value, dict):
            return dict(self._mapped())
        if not isinstance(self.value, list):
            self.expected("a mapping, or a list of KEY=VALUE")
            return None
        return dict(self.items(lambda item: item._pair(separator)))

    def _mapped(self) -> Iterator[tuple[str, Given[str | None]]]:
        for key, entry in self.entries():
            if not key:
                entry.wrong("a key must not be empty")
            elif (value := entry.scalar()) is not None:
                yield key, value

    def _pair(self, separator: str) -> tuple[str, Given[str | None]] | None:
        if not isinstance(self.value, str) or self.failed:
            if isinstance(self.value, dict) and len(self.value) == 1:
                key = next(iter(self.value))
                self.wrong(
                    f"must be text, not the mapping '{key}: ...'", f"Write {key}=VALUE, or leave out all dashes."
                )
            else:
                self.expected("text KEY=VALUE")
            return None
        key, separated, value = self.value.partition(separator)
        return key, self.given(value if separated else None)

    def scalar(self, *, null: bool = True) -> Given[str | None] | None:
        """Text or a number, as text; null means no value, where it is allowed.

        Booleans are refused, as by Docker.
        """
        value: Scalar = self.value
        if isinstance(value, bool):
            self.wrong("must be text or a number, not a boolean", f'Put it in quotes: "{self.written}".')
        elif (isinstance(value, str | int | float) or (value is None and null)) and not self.failed:
            return self.given(None if value is None else as_text(value))
        else:
            self.expected("text or a number")
        return None

    def options(self, *, null: bool = False) -> dict[str, Given[str]] | None:
        """A mapping of text and numbers, such as the options of a driver."""
        if not isinstance(self.value, dict):
            self.expected("a mapping")
            return None
        found = ((key, entry.scalar(null=null)) for key, entry in self.entries())
        return {key: Given(value.value or "", value.place) for key, value in found if value is not None}

    def expected(self, what: str) -> None:
        """Note that the value is not what it must be."""
        if self.value is None:
            self.wrong("has no value", f"It must be {what}; leave the key out if it is not needed.")
            return
        remedy = how_to_write(what, self.value, self.written, varies=self.varies)
        self.wrong(f"must be {what}, not {named(self.value, self.written, self.path)}", remedy)


@dataclass(frozen=True)
class Keys:
    """The known keys of a mapping."""

    field: Field
    found: Mapping[str, Field]
    unknown: tuple[str, ...] = ()  # the others, where they are left alone

    def __contains__(self, key: object) -> bool:
        return key in self.found

    def read(self, key: str, read: Callable[[Field], T | None]) -> T | None:
        """What `read` makes of a key's value.

        None where the key is missing or its value wrong.
        """
        found = self.found.get(key)
        return None if found is None else read(found)

    def read_list(self, key: str, read: Callable[[Field], tuple[T, ...]]) -> tuple[T, ...]:
        """What `read` makes of a key's list, empty where the key is missing."""
        return self.read(key, read) or ()


def texts(value: Field) -> tuple[Given[str], ...]:
    """A list of text."""
    return value.items(Field.text)


def text_or_texts(value: Field) -> tuple[Given[str], ...]:
    """A text, or a list of texts."""
    if isinstance(value.value, list):
        return texts(value)
    found = value.text()
    return () if found is None else (found,)


def _same(one: Any, other: Any) -> bool:
    """Equality as of JSON: 1 and 1.0 are the same, 1 and true are not."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)
