"""A session that is refused its hosts leaves no lock on them, and asks again those that could not say whose they are.

Once refused, it has none.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace
from typing import Any, cast

import pytest

from clusterlab.errors import ClusterlabError
from clusterlab.model import Lab
from clusterlab.pipeline import session as module
from clusterlab.pipeline.lock import Exclusive, Unlocked
from clusterlab.pipeline.session import Session
from clusterlab.progress import Silent

INVENTORY = SimpleNamespace(shared=False, docker_hosts=["host1", "host2"])


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

    def refuse(*_: Any, **__: Any) -> frozenset[str]:
        if refused:
            raise ClusterlabError("created there by somebody else")
        return frozenset()

    machines = SimpleNamespace(targets=dict, kind=SimpleNamespace(foreign=True))
    monkeypatch.setattr(module, "open_machines", lambda lab: machines)
    monkeypatch.setattr(module, "hosts_lock", lock)
    monkeypatch.setattr(module, "refuse_other_owners", refuse)
    lab = cast(Lab, SimpleNamespace(name="shop", inventory=INVENTORY))
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


def test_hosts_are_asked_again_until_all_could_say_whose_the_lab_is(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    unknown = [frozenset({"host1", "host2"}), frozenset({"host2"}), frozenset({"gw"})]  # gw has no engine

    def refuse(lab: str, *_: Any, **__: Any) -> frozenset[str]:
        asked.append(lab)
        return unknown[len(asked) - 1]

    machines = SimpleNamespace(targets=dict, kind=SimpleNamespace(foreign=True))
    monkeypatch.setattr(module, "open_machines", lambda lab: machines)
    monkeypatch.setattr(module, "hosts_lock", lambda *_: nullcontext())
    monkeypatch.setattr(module, "refuse_other_owners", refuse)
    lab = cast(Lab, SimpleNamespace(name="shop", inventory=INVENTORY))
    for lock in (Exclusive("run"), Unlocked("the process that started this one has it")):
        asked.clear()
        session = Session(lab, Silent(), lock)
        for _ in range(4):
            session.refuse_other_owners()
        assert asked == ["shop"] * len(unknown)


def test_a_session_that_is_refused_late_does_nothing_more_on_the_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that provision has started says that the lab is somebody else's."""

    asked: list[str] = []

    def refuse(lab: str, *_: Any, **__: Any) -> frozenset[str]:
        asked.append(lab)
        if len(asked) > 1:
            raise ClusterlabError("host1: created there by somebody else")
        return frozenset({"host1"})

    machines = SimpleNamespace(targets=dict, kind=SimpleNamespace(foreign=True))
    monkeypatch.setattr(module, "open_machines", lambda lab: machines)
    monkeypatch.setattr(module, "hosts_lock", lambda *_: nullcontext())
    monkeypatch.setattr(module, "refuse_other_owners", refuse)
    lab = cast(Lab, SimpleNamespace(name="shop", inventory=INVENTORY))
    session = Session(lab, Silent(), Exclusive("run"))
    assert session.hosts is session.hosts
    with pytest.raises(ClusterlabError, match="created there by somebody else"):
        session.refuse_other_owners()
    with pytest.raises(ClusterlabError, match="created there by somebody else"):
        session.hosts  # noqa: B018
