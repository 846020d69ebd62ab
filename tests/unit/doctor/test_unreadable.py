"""Answers that are cut off, localised, of other versions or missing end as unknown, never in a traceback."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

import pytest

from clusterlab.doctor import script
from clusterlab.doctor.examine import examine
from clusterlab.doctor.finding import Severity
from clusterlab.doctor.sections import SECTIONS
from tests.support.doctor_cases import cluster_of, sound, told

NAMES = [one.name for one in SECTIONS]
LOCALISED = "Befehl nicht gefunden: bitte wenden Sie sich an den Systembetreuer\n"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "part",
    [
        None,
        {"text": "", "exit": 127, "error": "not found"},
        {"text": "", "exit": 137, "error": ""},
        {"text": LOCALISED, "exit": 1, "error": LOCALISED},
        {"text": LOCALISED, "exit": 0, "error": ""},
    ],
    ids=["absent", "no program", "killed", "failed", "localised"],
)
def test_section(name: str, part: dict[str, Any] | None) -> None:
    recording = sound()
    for host in recording.values():
        if part is None:
            host["parts"].pop(name, None)
        else:
            host["parts"][name] = part
    diagnosed = examine(cluster_of(recording))
    errors = [one for one in diagnosed.findings if one.severity is Severity.ERROR]
    assert not errors, errors
    used = name not in UNUSED
    assert not (used and diagnosed.healthy), f"healthy without {name}"


UNUSED = {"associations"}
"""Sections that no code needs on a sound host."""


def test_a_namespace_that_cannot_be_read_is_unknown_and_one_that_is_gone_is_not() -> None:
    """As with an `ip` or `bridge` of a version that knows no -j."""
    for code, healthy in (("255", False), ("gone", True)):
        recording = sound()
        part = recording["host2"]["parts"]["namespaces"]
        part["text"] = part["text"].replace("namespaces end", f"\nnetns abc\nend {code}\nnamespaces end")
        diagnosed = examine(cluster_of(recording))
        assert not [one for one in diagnosed.findings if one.severity is Severity.ERROR]
        assert diagnosed.healthy is healthy


@pytest.mark.parametrize("seed", range(15))
def test_cut_off(seed: int) -> None:
    """A script whose output ends anywhere."""
    chance = random.Random(seed)
    recording = sound()
    for host in recording.values():
        text = "".join(
            f"\nMARK begin {name}\n{part['text']}\nMARK end {name} {part['exit']} {part['error']}\n"
            for name, part in host["parts"].items()
        )
        parts = script.split(text[: chance.randrange(len(text))], "MARK")
        host["parts"] = {name: {"text": one.text, "exit": one.exit, "error": one.error} for name, one in parts.items()}
    diagnosed = examine(cluster_of(recording))
    assert not [one for one in diagnosed.findings if one.severity is Severity.ERROR]
    assert not diagnosed.healthy


@pytest.mark.parametrize("seed", range(25))
def test_a_value_of_another_type(seed: int) -> None:
    """A value of the API that is not of its documented type is not seen: no code follows from it."""
    chance = random.Random(seed)
    recording = sound()
    host = chance.choice([one for one in recording.values() if one["api"]])
    holder, key = chance.choice(list(_places(host["api"])))
    holder[key] = chance.choice([one for one in OTHERS if _kind(one) is not _kind(holder[key])])
    assert not _errors(recording), (key, holder[key])


@pytest.mark.parametrize("seed", range(25))
def test_a_section_that_is_cut_off_or_has_an_odd_line(seed: int) -> None:
    chance = random.Random(seed)
    recording = sound()
    part = chance.choice(list(chance.choice(list(recording.values()))["parts"].values()))
    cut = copy.deepcopy(part)
    part["text"] = part["text"][: chance.randrange(len(part["text"]) + 1)]
    assert not _errors(recording), part["text"][-100:]
    lines = cut["text"].split("\n")
    at = chance.randrange(len(lines))
    lines[at] = chance.choice([lines[at][: len(lines[at]) // 2], LOCALISED.strip(), "0", "{}", f"{lines[at]} x"])
    part["text"] = "\n".join(lines)
    assert not _errors(recording), lines[at]


OTHERS: tuple[Any, ...] = (3, "text", [], {}, ["x"], {"x": 1}, True)


def _kind(value: Any) -> type:
    return float if isinstance(value, int | float) and not isinstance(value, bool) else type(value)


def _errors(recording: dict[str, Any]) -> list[str]:
    return [told(one) for one in examine(cluster_of(recording)).findings if one.severity is Severity.ERROR]


@pytest.mark.parametrize("seed", range(20))
def test_other_answers_of_the_engine(seed: int) -> None:
    """Values of other types anywhere in the API's answers: whatever is found then, nothing breaks off."""
    chance = random.Random(seed)
    recording = sound()
    for host in (one for one in recording.values() if one["api"]):
        for _ in range(5):
            holder, key = chance.choice(list(_places(host["api"])))
            holder[key] = chance.choice([None, 3, "text", [], {}, ["x"], {"x": 1}, True])
    examine(cluster_of(recording))


@pytest.mark.parametrize("seed", range(20))
def test_other_text(seed: int) -> None:
    """Lines of sections that are swapped, doubled, cut or replaced."""
    chance = random.Random(seed)
    recording = copy.deepcopy(sound())
    for host in recording.values():
        for part in host["parts"].values():
            lines = part["text"].split("\n")
            at = chance.randrange(len(lines))
            lines[at] = chance.choice(["", lines[at][: len(lines[at]) // 2], LOCALISED, "0", "{}", f"{lines[at]} x"])
            part["text"] = "\n".join(lines)
    examine(cluster_of(recording))


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in JSON that can be replaced."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, one in list(items):
        yield value, key
        if isinstance(one, dict | list):
            yield from _places(one)
