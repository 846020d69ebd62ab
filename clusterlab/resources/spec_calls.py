"""Sending specs to an engine as they are.

The SDK's own methods leave out what they do not know.

The paths carry no version, so that each engine takes all that it knows (subpaths of volumes came with 1.45).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from clusterlab.stacks.service_specs import Spec


def send(api: Any, path: str, spec: Spec, headers: Mapping[str, str] | None = None, **query: str) -> Any:
    """Post a spec; what the engine answers.

    Raises docker.errors.APIError when it refuses.
    """
    answer = _post(api, path, spec, headers, query)
    api._raise_for_status(answer)
    return answer.json() if answer.content else None


def refusal(api: Any, path: str, spec: Spec, **query: str) -> str:
    """Why an engine refuses a spec that it must refuse."""
    return str(_post(api, path, spec, None, query).json().get("message", "it accepted it"))


def _post(api: Any, path: str, spec: Spec, headers: Mapping[str, str] | None, query: Mapping[str, str]) -> Any:
    return api.post(
        f"{api.base_url}{path}",
        params=query,
        data=json.dumps(spec),
        headers={"Content-Type": "application/json", **(headers or {})},
        timeout=api.timeout,
    )
