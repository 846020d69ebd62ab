"""Matchers: what a text or value must be like."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from .base import Issue, Model, Strings

_MATCHES_ALL = re.compile(r"\^?(\.\*\??)?\$?")


def _as_matcher(value: object) -> object:
    """A plain value means "equals"."""
    return value if isinstance(value, dict | None) else {"equals": value}


class MatcherSpec(Model):
    """What a text or value must be like; every key given must hold."""

    null_allowed: ClassVar[frozenset[str]] = frozenset({"equals"})

    equals: Any = Field(default=None, description="exactly this")
    contains: Strings = Field(default_factory=list, description="must contain each of these")
    lacks: Strings = Field(default_factory=list, description="must not contain any of these")
    matches: str | None = Field(default=None, description="a regular expression (re.search, multi-line)")
    lines: int | None = Field(default=None, ge=0, description="how many lines, or how many items")
    empty: bool | None = Field(default=None, description="whether there must be nothing")
    evenly: Strings = Field(
        default_factory=list,
        description="lines or items that are all among these, each of these as often as any other, give or take one",
        examples=["${active_node}"],
    )
    between: list[int] = Field(default_factory=list, description="a number from the first of these to the second")

    def issues(self) -> Iterator[Issue]:
        if not self.model_fields_set:
            yield Issue(
                (), "an empty matcher asserts nothing", f"Give at least one of {', '.join(type(self).model_fields)}."
            )
        for key, words in (("contains", self.contains), ("lacks", self.lacks), ("evenly", self.evenly)):
            if key in self.model_fields_set and not words:
                yield Issue((key,), f"an empty list for '{key}' asserts nothing")
            if "" in words:
                yield Issue((key,), f"'{key}' with an empty text: every text contains that")
        if self.given("between") and (len(self.between) != 2 or self.between[0] > self.between[1]):
            yield Issue(("between",), "no number is between these", "Write the lowest and the highest: [1, 10].")
        yield from self._pattern_faults()

    def _pattern_faults(self) -> Iterator[Issue]:
        if self.matches is None:
            return
        try:
            re.compile(self.matches)
        except re.error as error:
            yield Issue(("matches",), f"'{self.matches}' is not a regular expression: {error}")
        if _MATCHES_ALL.fullmatch(self.matches) and self.matches != "^$":
            yield Issue(("matches",), f"'{self.matches}' matches every text, so this asserts nothing")


_Plain = str | int | float | bool | list[Any]
Matcher = Annotated[MatcherSpec, BeforeValidator(_as_matcher, json_schema_input_type=MatcherSpec | _Plain)]
"""A matcher, or a plain value: it must be equal then."""
