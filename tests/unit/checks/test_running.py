"""How a container of a check begins when its engine misses the Swarm's answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import docker.errors
import pytest
import requests

from clusterlab.checks import running
from clusterlab.errors import HostError
from clusterlab.remote.engine_errors import engine_errors
from clusterlab.resources import retrying


class Engine:
    """Has one name for one container, and joins no second network in time."""

    def __init__(self) -> None:
        self.there: set[str] = set()

    def create_container_from_config(self, _: object, name: str) -> dict[str, str]:
        if name in self.there:
            raise _refusal(f'Conflict. The container name "/{name}" is already in use')
        self.there.add(name)
        return {"Id": name}

    def connect_container_to_network(self, *_: object, **__: object) -> None:
        raise _refusal("attaching to network failed: context deadline exceeded")


def test_what_a_late_second_network_leaves_is_removed_and_not_taken_for_a_refusal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(retrying, "_PAUSE", 0.0)
    api, host = Engine(), SimpleNamespace(name="host1")

    @contextmanager
    def engine(_: str) -> Iterator[Engine]:
        with engine_errors(host, "run"):  # type: ignore[arg-type]
            yield api

    monkeypatch.setattr(running, "remove_container", lambda _, name: api.there.discard(name))
    places: Any = SimpleNamespace(hosts={"host1": host}, engine=engine)
    spec: Any = SimpleNamespace(name="once", config={}, networks={"one": None, "two": None})
    with pytest.raises(HostError, match="attaching to network failed"):
        running.run_to_end(places, SimpleNamespace(host="host1"), spec, 1.0)  # type: ignore[arg-type]
    assert not api.there


def _refusal(text: str) -> docker.errors.APIError:
    return docker.errors.APIError("refused", response=requests.Response(), explanation=text)
