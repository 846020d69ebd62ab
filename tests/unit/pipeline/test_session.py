"""A session that is refused its hosts leaves no lock on them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest

from clusterlab.errors import ClusterlabError
from clusterlab.model import Lab
from clusterlab.pipeline import session as module
from clusterlab.pipeline.lock import Exclusive
from clusterlab.pipeline.session import Session
from clusterlab.progress import Silent


def test_hosts_that_are_refused_are_refused_again_for_the_same_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[str] = []

    @contextmanager
    def lock(*_: Any) -> Iterator[None]:
        assert not held, "the lock that this very command holds"
        held.append("locked")
        try:
            yield
        finally:
            held.clear()

    def refuse(*_: Any, **__: Any) -> None:
        if refused:
            raise ClusterlabError("created there by somebody else")

    machines = SimpleNamespace(targets=dict, kind=SimpleNamespace(foreign=True))
    monkeypatch.setattr(module, "open_machines", lambda lab: machines)
    monkeypatch.setattr(module, "hosts_lock", lock)
    monkeypatch.setattr(module, "refuse_other_owners", refuse)
    lab = cast(Lab, SimpleNamespace(name="shop", inventory=SimpleNamespace(shared=False)))
    session = Session(lab, Silent(), Exclusive("apply"))
    refused = True
    for _ in range(2):
        with pytest.raises(ClusterlabError, match="created there by somebody else"):
            session.hosts  # noqa: B018
        assert not held
    refused = False
    with session._closing:
        assert session.hosts is session.hosts
        assert held
    assert not held
