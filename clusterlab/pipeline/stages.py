"""The stages of a run: each is carried out, or the reason why not is recorded."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from clusterlab.errors import ClusterlabError, Several

from .deadline import Deadline, Passed

StageOutcome = Literal["under way", "done", "failed", "skipped", "interrupted"]


@dataclass
class Stage:
    """A part of a run, also when it was not carried out.

    `message` says why, or what came of it.
    """

    name: str
    outcome: StageOutcome = "under way"
    seconds: float = 0.0
    message: str = ""
    remedy: str = ""
    detail: str = ""


class Skip(Exception):
    """Raised by a stage that is not carried out, for the reason given."""


class Stages:
    """Carries stages out one after the other.

    `stopped` says why those that follow cannot be tried, if they cannot.
    """

    def __init__(
        self,
        noted: list[Stage] | None = None,
        *,
        deadline: Deadline | None = None,
        on_change: Callable[[], None] = lambda: None,
        on_failure: Callable[[Stage], None] = lambda stage: None,
    ) -> None:
        """Stages are added to `noted`.

        `on_change` is called before and after each of them.
        """
        self.noted = [] if noted is None else noted
        self.errors: dict[str, ClusterlabError] = {}
        """What the stages that failed raised, by their names."""
        self.stopped = ""
        self._deadline = deadline
        self._on_change = on_change
        self._on_failure = on_failure

    def carry_out(self, name: str, work: Callable[[], str], essential: bool = False) -> None:
        """Carry a stage out and record what became of it.

        When an essential one fails, those after it are not tried.

        Raises KeyboardInterrupt alone: whatever else goes wrong is in the stage.
        """
        stage = Stage(name)
        self.noted.append(stage)
        began = time.monotonic()
        try:  # whoever sees it under way may interrupt it at once
            self._on_change()
            self._record(stage, work)
        except KeyboardInterrupt:
            stage.outcome, stage.message = "interrupted", "interrupted"
            raise
        finally:
            stage.seconds = round(time.monotonic() - began, 3)
            self._on_change()
        if stage.outcome == "failed":
            self._on_failure(stage)
            if essential or (self._deadline is not None and self._deadline.passed):
                self.stopped = self.stopped or f"{name}: {stage.message}"

    def note_untried(self, names: Iterable[str]) -> None:
        """Record those of `names` that never began: they are in the result too."""
        known = {stage.name for stage in self.noted}
        self.noted += [self._untried(name) for name in names if name not in known]

    def succeeded(self, name: str) -> bool:
        """Whether a stage was carried out."""
        return any(stage.name == name and stage.outcome == "done" for stage in self.noted)

    @property
    def first_failed(self) -> str:
        """The name of the first stage that failed or was interrupted.

        Empty when there is none.
        """
        return next((stage.name for stage in self.noted if stage.outcome in ("failed", "interrupted")), "")

    def seconds(self) -> dict[str, float]:
        """How long each stage took that began."""
        return {stage.name: stage.seconds for stage in self.noted if stage.seconds}

    def _untried(self, name: str) -> Stage:
        return Stage(name, "skipped", message=f"not attempted, because of {self.stopped}")

    def _record(self, stage: Stage, work: Callable[[], str]) -> None:
        if self.stopped:
            stage.outcome, stage.message = "skipped", self._untried(stage.name).message
            return
        try:
            stage.message = work()
            stage.outcome = "done"
        except Skip as skip:
            stage.outcome, stage.message = "skipped", str(skip)
        except Passed as passed:
            self._failed(stage, ClusterlabError(f"ended, because {passed}"))
        except ClusterlabError as error:
            self._failed(stage, error)
        except OSError as error:  # of this computer itself: a full disk, say, wherever it is met
            message = f"{error.filename or 'this computer'}: {error.strerror or error}"
            self._failed(stage, ClusterlabError(message))

    def _failed(self, stage: Stage, error: ClusterlabError) -> None:
        self.errors[stage.name] = error
        stage.outcome, stage.message = "failed", error.message
        stage.remedy, stage.detail = _remedy(error), _detail(error)


def _remedy(error: ClusterlabError) -> str:
    return _once(one.remedy for one in _all(error))


def _detail(error: ClusterlabError) -> str:
    return _once(one.detail for one in _all(error))


def _all(error: ClusterlabError) -> list[ClusterlabError]:
    return [error, *(error.errors if isinstance(error, Several) else [])]


def _once(texts: Iterable[str]) -> str:
    return "\n".join(dict.fromkeys(text for text in texts if text))
