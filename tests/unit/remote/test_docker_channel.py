"""What `-v` shows of requests to an engine."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
import requests
from docker.transport.basehttpadapter import BaseHTTPAdapter

from clusterlab.remote.docker_channel import _Adapter
from clusterlab.remote.trace import Step, watching


def test_the_repeated_request_to_an_older_engine_is_shown_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def send(_: BaseHTTPAdapter, request: requests.PreparedRequest) -> requests.Response:
        answer = requests.Response()
        answer.status_code = 200 if "/v1.44/" in str(request.url) else 400
        answer.headers["Api-Version"] = "1.44"
        answer.raw = SimpleNamespace(close=lambda: None, release_conn=lambda: None)
        return answer

    monkeypatch.setattr(BaseHTTPAdapter, "send", send, raising=False)
    client = SimpleNamespace(_version="1.99")
    adapter = _Adapter(cast(Any, SimpleNamespace(target="host1")), cast(Any, client))
    steps: list[Step] = []
    with watching(steps.append):
        answer = adapter.send(requests.Request("GET", "http+docker://ssh/v1.99/info").prepare())
    assert (answer.status_code, client._version) == (200, "1.44")
    assert [(one.what, one.ended) for one in steps] == [("GET /v1.99/info", "400"), ("GET /v1.44/info", "200")]
