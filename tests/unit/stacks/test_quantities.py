"""Durations, sizes, processors and command lines as Docker's client parses them."""

from __future__ import annotations

import pytest

from clusterlab.stacks.quantities import nano_cpus, nanoseconds, size_in_bytes, split_command


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1m30s", 90 * 10**9),
        ("0", 0),
        ("-5s", -5 * 10**9),
        ("1.5h", 5400 * 10**9),
        (".5s", 5 * 10**8),
        ("3ms", 3 * 10**6),
    ],
)
def test_durations(text: str, value: int) -> None:
    assert nanoseconds(text) == value


@pytest.mark.parametrize("text", ["", "30", "1d", "1m 30s", "s", "1s5", "9999999h"])
def test_no_durations(text: str) -> None:
    with pytest.raises(ValueError, match=text or "^$"):
        nanoseconds(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("512M", 512 * 2**20),
        ("1.5g", 3 * 2**29),
        ("64 MiB", 2**26),
        ("10kb", 10240),
        ("7b", 7),
        ("12", 12),
        ("1e3", 1000),
    ],
)
def test_sizes(text: str, value: int) -> None:
    assert size_in_bytes(text) == value


@pytest.mark.parametrize("text", ["", "M", "-1M", "1X", "1mm", "1 ib", "1M5", "0x10"])
def test_no_sizes(text: str) -> None:
    with pytest.raises(ValueError, match=text or "^$"):
        size_in_bytes(text)


@pytest.mark.parametrize(("text", "value"), [("0.5", 500000000), ("1/4", 250000000), ("1e-3", 10**6)])
def test_processors(text: str, value: int) -> None:
    assert nano_cpus(text) == value


@pytest.mark.parametrize("text", ["", "half", "0.00000000001", "1/0"])
def test_no_processors(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (Fraction has its own words)
        nano_cpus(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sh -c 'echo $HOME  x' # the rest", ["sh", "-c", "echo $HOME  x"]),
        ('a"b c"d e#f', ["ab cd", "e#f"]),
        (r'one\ word "a\"b"', ["one word", 'a"b']),
        ("'' \"\"", ["", ""]),
        ("  \t\n", []),
        ("# all\nof it", ["of", "it"]),
    ],
)
def test_command_lines(text: str, words: list[str]) -> None:
    assert split_command(text) == words


@pytest.mark.parametrize("text", ["it's", 'say "hello', "back\\"])
def test_broken_command_lines(text: str) -> None:
    with pytest.raises(ValueError, match=r"quote|backslash"):
        split_command(text)
