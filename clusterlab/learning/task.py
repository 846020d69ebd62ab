"""The next step of a lesson on the hosts as they are."""

from __future__ import annotations

from dataclasses import replace

from clusterlab.checks.runner import run_checks
from clusterlab.manual.lesson import Lesson, Part, title_of
from clusterlab.pipeline.pipeline import Pipeline
from clusterlab.results import Outcome, Result

_PROVEN = (Outcome.PASS, Outcome.FLAKY)
_COPY = "a copy of "


def things(lesson: Lesson) -> list[str]:
    """What is to be created, without how: `volume nfs_gw on host1`."""
    return [part.title for part in lesson.making if not part.title.startswith(_COPY)]


def next_step(lesson: Lesson, pipeline: Pipeline) -> tuple[Part | None, Result | None]:
    """The first object that the lesson wants and the hosts lack, or a failure.

    A statement that fails, with its result.

    Both None when all is done. The pipeline's lab has that play alone.
    """
    missing = {title_of(change.key) for change in pipeline.apply_changes()}
    copies = {part.title.removeprefix(_COPY): part.lines for part in lesson.making if part.title.startswith(_COPY)}
    for part in lesson.making:
        if part.title in missing:
            return replace(part, lines=(*copies.get(part.title, ()), *part.lines)), None
    session = pipeline.session
    results = run_checks(session.lab, session.hosts, session.unsupported, lambda result: None, session.progress)
    by_title = {result.check: result for result in results}
    for part in lesson.statements:
        if (result := by_title.get(part.title)) and result.outcome not in _PROVEN and not result.excused:
            return part, result
    return None, None
