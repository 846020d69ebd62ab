"""Checks of any kind in tests, written as in a play."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from clusterlab.checks.kinds import KINDS
from clusterlab.errors import UsageError
from clusterlab.model.base import FROM_FILE
from clusterlab.model.checks import check_model
from clusterlab.model.problems import suggest
from clusterlab.results import Result

from .bench import OWN_PLAY, Bench
from .statements import settle

_OF_CHECK = ("within", "for", "needs", "hint", "title")


class Check:
    """Carries checks out.

    `check("ping", on="host1", to="host2")` passes, skips or fails the test.

    Keys are those of the kind in a play, with _ behind those that Python reserves (`in_`, `from_`, `for_`); `within`,
    `for_` and `needs` are those of the statement.
    """

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def __call__(self, kind: str, **keys: Any) -> Result:
        if kind not in KINDS:
            raise UsageError(f"there is no kind of check {kind!r}", remedy=suggest(kind, KINDS, "Kinds"))
        given = {key.rstrip("_"): value for key, value in keys.items()}
        of_check = {key: given.pop(key) for key in _OF_CHECK if key in given}
        try:
            check = check_model().model_validate({"title": kind, **of_check, kind: given}, context=FROM_FILE)
        except ValidationError as error:
            problems = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_url=False)]
            raise UsageError(f"check({kind!r}, ...) is not valid", detail="\n".join(problems)) from error
        result = self._bench.prove(OWN_PLAY, self._bench.play, check)
        settle(result, self._bench.strict)
        return result
