"""Plain scalars of YAML as Docker's client reads them, and as text again.

Source: resolve.go of gopkg.in/yaml.v3, which the client uses. Booleans are true and false alone; 0444 and 0o444 are
octal; 1e3, 0x1f and 2026-01-01 are numbers and timestamps. Environment and labels turn the value into text with Go's
fmt.Sprint, so that 1.50 becomes 1.5 and 0640 becomes 416.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal

Scalar = str | bool | int | float | None

_WORDS: dict[str, bool | float | None] = {
    **dict.fromkeys(["true", "True", "TRUE"], True),
    **dict.fromkeys(["false", "False", "FALSE"], False),
    **dict.fromkeys(["", "~", "null", "Null", "NULL"], None),
    **dict.fromkeys([".nan", ".NaN", ".NAN"], math.nan),
    **dict.fromkeys([".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"], math.inf),
    **dict.fromkeys(["-.inf", "-.Inf", "-.INF"], -math.inf),
}
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INTEGERS = {
    10: re.compile(r"[-+]?(0|[1-9][0-9]*)"),
    8: re.compile(r"[-+]?0[oO]?[0-7]+"),
    16: re.compile(r"[-+]?0[xX][0-9a-fA-F]+"),
    2: re.compile(r"[-+]?0[bB][01]+"),
}
_TIME = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{1,2}-[0-9]{1,2})"
    r"(?:[Tt](?P<clock>[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(?:\.[0-9]+)?)(?P<zone>Z|[-+][0-9]{2}:[0-9]{2})"
    r"| (?P<bare>[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(?:\.[0-9]+)?))?"
)


class Timestamp(str):
    """A plain scalar that YAML reads as a time, as the text that Go prints for it."""


def resolve(text: str) -> Scalar:
    """The value of a plain scalar."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    if text[0] == ".":
        return _floating(text, text)
    return _timestamp(text) or _number(text)


def _number(text: str) -> Scalar:
    plain = text.replace("_", "")
    for base, pattern in _INTEGERS.items():
        if pattern.fullmatch(plain) and -(2**63) <= (number := int(plain, base)) < 2**64:
            return number
    return _floating(plain, text)


def _floating(plain: str, text: str) -> float | str:
    if not _FLOAT.fullmatch(plain):
        return text
    number = float(plain)
    return number if math.isfinite(number) else text


def _timestamp(text: str) -> Timestamp | None:
    found = _TIME.fullmatch(text)
    if not found:
        return None
    clock, _, fraction = (found["clock"] or found["bare"] or "0:0:0").partition(".")
    parts = [int(part) for part in (*found["date"].split("-"), *clock.split(":"))]
    try:
        moment = datetime(*parts, tzinfo=_zone(found["zone"] or "Z"))  # type: ignore[misc,arg-type]
    except ValueError:
        return None
    zone = "+0000 UTC" if moment.tzinfo is UTC else f"{moment:%z} {moment:%z}"
    fraction = fraction[:9].rstrip("0")
    return Timestamp(f"{moment.year:04d}-{moment:%m-%d %H:%M:%S}{'.' if fraction else ''}{fraction} {zone}")


def _zone(text: str) -> tzinfo:
    if text == "Z":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[4:6]))
    return timezone(-offset if text[0] == "-" else offset)


def as_text(value: Scalar) -> str:
    """What Go's fmt.Sprint makes of a scalar; nothing for null."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float():
            return _float_text(value)
        case _:
            return str(value)


def _float_text(value: float) -> str:
    """The shortest decimal, as %v prints it.

    With an exponent below 1e-4 and from 1e21 on.
    """
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{'+' if value > 0 else '-'}Inf"
    number = Decimal(repr(value)).normalize()
    power = number.adjusted()
    if number == 0 or -4 <= power < 21:
        return format(number, "f")
    sign, digits, _ = number.as_tuple()
    first, *rest = map(str, digits)
    return f"{'-' if sign else ''}{first}{'.' if rest else ''}{''.join(rest)}e{power:+03d}"
