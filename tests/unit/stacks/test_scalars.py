"""Plain scalars: what Docker's client makes of them, and which text they become again."""

from __future__ import annotations

import pytest

from clusterlab.stacks.scalars import Scalar, Timestamp, as_text, resolve


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("False", False),
        ("yes", "yes"),
        ("on", "on"),
        ("~", None),
        ("", None),
        ("0640", 416),
        ("0o640", 416),
        ("-017", -15),
        ("0x1F", 31),
        ("0b101", 5),
        ("+12", 12),
        ("1_000", 1000),
        ("08", 8.0),
        ("1.50", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("22:22", "22:22"),
        ("1.2.3", "1.2.3"),
        ("-", "-"),
        (".", "."),
        ("1e999", "1e999"),
        ("18446744073709551615", 18446744073709551615),
        ("18446744073709551616", 18446744073709551616.0),
        ("2026-13-45", "2026-13-45"),
    ],
)
def test_values(text: str, value: Scalar) -> None:
    found = resolve(text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("2026-01-01", "2026-01-01 00:00:00 +0000 UTC"),
        ("2001-12-14t21:59:43.10-05:00", "2001-12-14 21:59:43.1 -0500 -0500"),
        ("2001-12-14 21:59:43", "2001-12-14 21:59:43 +0000 UTC"),
        ("2001-12-14T1:2:3Z", "2001-12-14 01:02:03 +0000 UTC"),
    ],
)
def test_times(text: str, printed: str) -> None:
    found = resolve(text)
    assert isinstance(found, Timestamp)
    assert found == printed


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (416, "416"),
        (1.5, "1.5"),
        (1000.0, "1000"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (1.25e-7, "1.25e-07"),
        (-0.0, "-0"),
        (float("inf"), "+Inf"),
        (None, ""),
        (True, "true"),
    ],
)
def test_texts(value: Scalar, text: str) -> None:
    assert as_text(value) == text
