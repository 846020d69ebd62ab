"""How far this user is in each lesson.

A file in the state folder, written by `learn` and `check`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from clusterlab.errors import ClusterlabError
from clusterlab.files import make_private, write_atomically
from clusterlab.machines.paths import state_home
from clusterlab.results import Outcome, Result

_PROVEN = (Outcome.PASS, Outcome.FLAKY)


@dataclass(frozen=True)
class Standing:
    """A lesson that was begun.

    How many of its statements passed the last time, and whether all ever did.
    """

    lesson: str
    passed: int = 0
    statements: int = 0
    done: bool = False


def _file() -> Path:
    return state_home() / "lessons.json"


def read() -> dict[str, Standing]:
    """All lessons that were begun, by name.

    Raises ClusterlabError for a file that cannot be understood.
    """
    try:
        return {one["lesson"]: Standing(**one) for one in json.loads(_file().read_text(encoding="utf-8"))}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ClusterlabError(
            f"{_file()} cannot be read: {error}", remedy="Remove it: the progress over lessons begins again."
        ) from error


def _write(standings: Iterable[Standing]) -> None:
    """Raises ClusterlabError."""
    try:
        make_private(_file().parent)
        write_atomically(_file(), json.dumps([asdict(one) for one in standings], indent=2) + "\n")
    except OSError as error:
        raise ClusterlabError(f"{_file()} cannot be written: {error.strerror}") from error


def begin(lesson: str, statements: int) -> None:
    """Note that a lesson was begun; one that was done stays so."""
    known = read()
    was = known.get(lesson)
    known[lesson] = Standing(lesson, 0, statements, was.done if was else False)
    _write(known.values())


def note(results: Iterable[Result]) -> list[Standing]:
    """Note how far the lessons are that were begun and that `results` are about.

    Returns these lessons. Raises ClusterlabError.

    What hosts cannot do is not asked of the person.
    """
    by_play: dict[str, list[Result]] = {}
    for result in results:
        if not result.excused:
            by_play.setdefault(result.play, []).append(result)
    known = read()
    noted = []
    for name in known.keys() & by_play.keys():
        passed = sum(result.outcome in _PROVEN for result in by_play[name])
        total = len(by_play[name])
        known[name] = Standing(name, passed, total, known[name].done or passed == total)
        noted.append(known[name])
    if noted:
        _write(known.values())
    return sorted(noted, key=lambda one: one.lesson)
