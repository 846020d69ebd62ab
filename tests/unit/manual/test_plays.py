"""Every statement of every play can be typed, and nothing that it says is left out of what is typed.

That is tried out: each single thing that a statement says is changed, and then something else must be typed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from clusterlab.checks.kinds.inspect import InspectProbe
from clusterlab.checks.kinds.run import RunProbe
from clusterlab.checks.kinds.veth import VethProbe
from clusterlab.checks.manual.where import Where
from clusterlab.errors import ClusterlabError
from clusterlab.manual.lesson import Lesson, Part, lesson, statement_lines
from clusterlab.model import Lab, load_lab, play_names
from clusterlab.model.checks import Check, NegatableProbe, Probe
from clusterlab.progress import Silent
from clusterlab.stacks.statements import KEYS
from tests.support.check_cases import PLAYBOOKS

PLAYS = play_names(PLAYBOOKS)
NOT_TYPED = {"title", "hint", "needs", "timeout"}
"""What a statement says to those who read it, and how long a command may take: a person sees that it hangs."""

NAMES_A_KIND = (("inspect", "volumes"), ("inspect", "engine"))
"""They can only be true."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """The default lab, with images that need not be built."""
    inventory = yaml.safe_load((PLAYBOOKS.parent / "inventory" / "default.yml").read_text())
    inventory["images"] = {name: {"pull": f"example/{name}:1"} for name in inventory["images"]}
    file = tmp_path_factory.mktemp("inventory") / "inventory.yml"
    file.write_text(yaml.safe_dump(inventory, sort_keys=False))
    return load_lab(file, PLAYS, PLAYBOOKS, without=KEYS)  # what follows from stacks is tried in unit/stacks


def where(lab: Lab, play: str) -> Where:
    alone = Lab(lab.inventory, {play: lab.plays[play]}, lab.folder)
    return Where(alone, play, {name: f"example/{name}:1" for name in lab.inventory.images})


def test_there_are_plays() -> None:
    assert len(PLAYS) >= 22


@pytest.mark.parametrize("play", PLAYS)
def test_every_play_says_what_it_teaches_and_why_and_where_that_is_written(lab: Lab, play: str) -> None:
    one = lab.plays[play]
    assert all(len(text.split()) >= 4 for text in (one.title, one.teaches, one.why))
    assert one.docs
    assert all(link.startswith("https://") for link in one.docs)


@pytest.mark.parametrize("play", PLAYS)
def test_every_statement_has_commands_and_what_must_be_seen(lab: Lab, play: str) -> None:
    one: Lesson = lesson(lab, play, "inventory.yml", Silent())
    assert [part.title for part in one.statements] == [check.title for check in lab.plays[play].checks]
    assert one.making or not lab.plays[play].containers
    for part in one.statements:
        assert part.check is not None
        seen = [line for line in part.lines if line.wanted]
        assert len(seen) >= _to_be_seen(part.check, where(lab, play)), f"{part.title}: {[one.command for one in seen]}"
        assert len([line for line in part.lines if not (line.wanted or line.sets)]) >= _to_be_done(part.check)
        for line in part.lines:
            assert line.command.strip(), part.title
            assert line.proof or not line.wanted, f"{part.title}: nothing proves what must be seen of {line.command}"


def _to_be_seen(check: Check, at: Where) -> int:
    """How many commands show something: one at each place of each probe, and of its control."""
    return sum(_places(probe, at) for _, _, probe in check.probes()) + len(check.finally_)


def _places(probe: Any, at: Where) -> int:
    if isinstance(probe, RunProbe):
        return len(at.lab.expand(probe.on))
    if isinstance(probe, VethProbe):
        return len(probe.in_)
    if isinstance(probe, InspectProbe):
        return 1
    assert isinstance(probe, Probe)
    control = isinstance(probe, NegatableProbe) and probe.control is not None
    return len(at.of(probe)) + control


def _to_be_done(check: Check) -> int:
    return sum(step.do is not None for step in check.steps)


@pytest.mark.parametrize("play", PLAYS)
def test_whatever_a_statement_says_is_typed(lab: Lab, play: str) -> None:
    ignored = [
        f"{check.title}: {'.'.join(path)}"
        for check in lab.plays[play].checks
        for path, changed in _changed(check, ())
        if not NOT_TYPED & set(path) and path[-2:] not in NAMES_A_KIND and _same(check, changed, lab, play)
    ]
    assert ignored == []


def _same(check: Check, changed: Check, lab: Lab, play: str) -> bool:
    """Whether the same is typed for both; a name that is not there any more was looked for, so it counts."""
    before = list(statement_lines(check, where(lab, play)))
    try:
        return list(statement_lines(changed, where(lab, play))) == before
    except (KeyError, ValueError, ClusterlabError):
        return False


def _changed(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Copies of a value, each with one single thing in it changed, and where that is."""
    if isinstance(value, BaseModel):
        for name in value.model_fields_set:
            for inside, changed in _changed(getattr(value, name), (*path, name)):
                yield inside, value.model_copy(update={name: changed})
    elif isinstance(value, list):
        for index, item in enumerate(value):
            for inside, changed in _changed(item, (*path, str(index))):
                yield inside, [*value[:index], changed, *value[index + 1 :]]
    elif isinstance(value, dict):
        for key, item in value.items():
            for inside, changed in _changed(item, (*path, str(key))):
                yield inside, {**value, key: changed}
    elif value is not None:
        yield path, _another(value)


def _another(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    assert isinstance(value, str)
    return value[:-1] + ("6" if value.endswith("7") else "7") if value else "other"


def test_what_is_left_out_would_be_found(lab: Lab) -> None:
    """The test of the test: a part whose lines do not depend on what it says."""
    (check, *_) = lab.plays["volumes/shared"].checks
    paths = {path for path, _ in _changed(check, ())}
    assert ("steps", "3", "command", "stdout", "equals") in paths
    assert Part(check.title, (), check).lines == ()
    same = check.model_copy(update={"hint": "another"})
    assert _same(check, same, lab, "volumes/shared")
