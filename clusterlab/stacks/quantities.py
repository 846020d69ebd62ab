"""Durations, sizes, processors and command lines as Docker's client parses them.

Sources: Go's time.ParseDuration, docker/go-units RAMInBytes, docker/cli opts.ParseCPUs, google/shlex.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

_UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_PART = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?P<unit>[^0-9.]+)")
_SIZE = re.compile(
    r"(?P<number>[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?) ?(?P<unit>[kmgtp]?)(?P<rest>b|ib)?",
    re.IGNORECASE,
)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_LARGEST = 2**63 - 1


def nanoseconds(text: str) -> int:
    """A duration such as 1m30s or 0.5s in nanoseconds.

    Raises ValueError, as for a number without a unit.
    """
    body = text[1:] if text[:1] in ("-", "+") else text
    if body == "0":
        return 0
    parts = list(_PART.finditer(body))
    if not parts or "".join(part[0] for part in parts) != body or any(part["unit"] not in _UNITS for part in parts):
        raise ValueError(text)
    total = sum(int(Fraction(part["number"].rstrip(".")) * _UNITS[part["unit"]]) for part in parts)
    if total > _LARGEST:
        raise ValueError(text)
    return -total if text[0] == "-" else total


def size_in_bytes(text: str) -> int:
    """A size such as 512M or 1.5g in bytes, its units being powers of 1024.

    Raises ValueError.
    """
    found = _SIZE.fullmatch(text)
    if not found or ((found["rest"] or "").lower() == "ib" and not found["unit"]):
        raise ValueError(text)
    size = float(found["number"]) * 1024 ** _POWERS[found["unit"].lower()]
    if not 0 <= size <= _LARGEST:
        raise ValueError(text)
    return int(size)


def nano_cpus(text: str) -> int:
    """Processors such as "0.5" in billionths.

    Raises ValueError, as for more than nine decimal places.
    """
    try:
        nano = Fraction(text) * 10**9
    except ZeroDivisionError:
        raise ValueError(text) from None
    if nano.denominator != 1 or abs(nano) > _LARGEST:
        raise ValueError(text)
    return int(nano)


def split_command(text: str) -> list[str]:
    """The words of a command line as google/shlex splits them: `#` begins a comment.

    Raises ValueError.
    """
    return list(_words(text))


def _words(text: str) -> Iterator[str]:
    word: list[str] | None = None
    characters = iter(text)
    for character in characters:
        if character in " \t\r\n":
            if word is not None:
                yield "".join(word)
            word = None
        elif character == "#" and word is None:
            for character in characters:
                if character == "\n":
                    break
        elif character in "'\"":
            word = [*(word or []), *_quoted(characters, character)]
        elif character == "\\":
            word = [*(word or []), _next(characters, "nothing follows the last backslash")]
        else:
            word = [*(word or []), character]
    if word is not None:
        yield "".join(word)


def _quoted(characters: Iterator[str], quote: str) -> Iterator[str]:
    while (character := _next(characters, "a quote is not closed")) != quote:
        escaped = character == "\\" and quote == '"'
        yield _next(characters, "a quote is not closed") if escaped else character


def _next(characters: Iterator[str], problem: str) -> str:
    for character in characters:
        return character
    raise ValueError(problem)
