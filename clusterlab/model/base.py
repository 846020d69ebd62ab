"""What every model of a file has in common."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
"""A lab's or host's name: a host label as in RFC 1123, lower case."""

ObjectName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.-]+$")]
"""A Docker object's name, as the engine accepts it."""

_DURATION = re.compile(r"^(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?$")


def seconds(value: object) -> object:
    """Seconds of a Compose duration ("1m30s", "500ms"), or of a plain number."""
    if isinstance(value, str):
        match = _DURATION.match(value)
        if not value or not match:
            raise ValueError(f"{value!r} is not a duration: write it like 30s, 1m30s or 500ms")
        hours, minutes, secs, millis = (float(part or 0) for part in match.groups())
        return hours * 3600 + minutes * 60 + secs + millis / 1000
    return value


Duration = Annotated[float, BeforeValidator(seconds, json_schema_input_type=str | float)]


def _as_list(value: object) -> object:
    return value if isinstance(value, list | None) else [value]


Strings = Annotated[list[str], BeforeValidator(_as_list, json_schema_input_type=str | list[str])]
"""One string, or a list of them."""


class Model(BaseModel):
    """A mapping of a file: unknown keys are errors, and nothing changes after validation."""

    model_config = ConfigDict(extra="forbid", frozen=True)
