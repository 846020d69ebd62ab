"""The stages of a night: each is carried out, or the reason why not is noted, and the record is saved around it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from clusterlab.errors import ClusterlabError, Several
from clusterlab.nightly.deadline import Deadline, Passed
from clusterlab.nightly.record import Record
from clusterlab.progress import Progress
from clusterlab.reports.night import Stage


class Skip(Exception):
    """Raised by a stage that is not carried out, for the reason given."""


class Stages:
    """Carries stages out one after the other; `stopped` says why those that follow cannot be tried, if they cannot."""

    def __init__(self, record: Record, deadline: Deadline, progress: Progress) -> None:
        self._record = record
        self._deadline = deadline
        self._progress = progress
        self._noted = record.night.stages
        self.stopped = ""

    def carry_out(self, name: str, work: Callable[[], str], essential: bool = False) -> None:
        """Carry a stage out and note what became of it; when an essential one fails, the work cannot go on.

        Raises KeyboardInterrupt alone: what the lab does is in the stage.
        """
        stage = Stage(name)
        self._noted.append(stage)
        began = time.monotonic()
        try:  # whoever sees it under way may interrupt it at once
            self._record.save()
            self._note(stage, work)
        except KeyboardInterrupt:
            stage.outcome, stage.message = "interrupted", "interrupted"
            raise
        finally:
            stage.seconds = round(time.monotonic() - began, 3)
            self._record.save()
        if stage.outcome == "failed":
            self._progress.say(name, stage.message)
            if essential or self._deadline.passed:
                self.stopped = self.stopped or f"{name}: {stage.message}"

    def note_untried(self, names: Iterable[str]) -> None:
        """Note those of `names` that never began: they are in the result too."""
        known = {stage.name for stage in self._noted}
        self._noted += [self._untried(name) for name in names if name not in known]

    def succeeded(self, name: str) -> bool:
        """Whether a stage was carried out."""
        return any(stage.name == name and stage.outcome == "done" for stage in self._noted)

    def _untried(self, name: str) -> Stage:
        return Stage(name, "skipped", message=f"not tried, because of {self.stopped}")

    def _note(self, stage: Stage, work: Callable[[], str]) -> None:
        if self.stopped:
            stage.outcome, stage.message = "skipped", self._untried(stage.name).message
            return
        try:
            stage.message = work()
            stage.outcome = "done"
        except Skip as skip:
            stage.outcome, stage.message = "skipped", str(skip)
        except Passed as passed:
            stage.outcome, stage.message = "failed", f"ended, because {passed}"
        except ClusterlabError as error:
            stage.outcome, stage.message = "failed", error.message
            stage.remedy, stage.detail = _remedy(error), _detail(error)
        except OSError as error:  # of this machine itself: a full disk, say, wherever it is met
            stage.outcome, stage.message = "failed", f"{error.filename or 'this machine'}: {error.strerror or error}"


def _remedy(error: ClusterlabError) -> str:
    return _once(one.remedy for one in _all(error))


def _detail(error: ClusterlabError) -> str:
    return _once(one.detail for one in _all(error))


def _all(error: ClusterlabError) -> list[ClusterlabError]:
    return [error, *(error.errors if isinstance(error, Several) else [])]


def _once(texts: Iterable[str]) -> str:
    return "\n".join(dict.fromkeys(text for text in texts if text))
