"""Faults in tests: proven to take effect, healed at the end, and proven to be gone."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from clusterlab.errors import UsageError
from clusterlab.faults.injection import Injection
from clusterlab.faults.kinds import FAULTS
from clusterlab.model.faults import parse_fault
from clusterlab.model.problems import suggest

from .handles import Changes


class FaultInTest:
    """A fault that is in effect until it is healed, at the latest when the test ends.

    Also a context manager, which heals it at the end of the block.
    """

    def __init__(self, injection: Injection) -> None:
        self._injection = injection

    @property
    def seen(self) -> str:
        """What shows that it took effect."""
        return self._injection.seen

    @property
    def seen_gone(self) -> str:
        """What shows that it is gone, once it is healed."""
        return self._injection.seen_gone

    @property
    def hosts(self) -> list[str]:
        """The hosts on which something was done."""
        return self._injection.hosts

    def heal(self) -> None:
        """Heal it, and prove that it is gone and has left nothing. Raises ClusterlabError."""
        self._injection.heal()

    def __enter__(self) -> FaultInTest:
        return self

    def __exit__(self, *error: object) -> None:
        self.heal()


class Faults:
    """`fault("partition", between=["host1", "host2"], lasts="30s")`.

    Keys are those of the kind in a play, with _ behind those that Python reserves.
    """

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    def __call__(self, kind: str, **keys: Any) -> FaultInTest:
        if kind not in FAULTS:
            raise UsageError(f"there is no kind of fault {kind!r}", remedy=suggest(kind, FAULTS, "Kinds"))
        try:
            spec = parse_fault({kind: {key.rstrip("_"): value for key, value in keys.items()}})
        except ValidationError as error:
            problems = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_url=False)]
            raise UsageError(f"fault({kind!r}, ...) is not valid", detail="\n".join(problems)) from error
        return FaultInTest(self._changes.inject(spec))
