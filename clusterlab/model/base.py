"""What every model of a file has in common."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network
from typing import Annotated, ClassVar, NamedTuple, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationInfo, model_validator

NAME_PATTERN = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
OBJECT_PATTERN = r"^[a-zA-Z0-9][a-zA-Z0-9_.-]+$"

Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
"""A lab's or host's name: a host label as in RFC 1123, lower case."""

ObjectName = Annotated[str, StringConstraints(pattern=OBJECT_PATTERN)]
"""A Docker object's name, as the engine accepts it."""

FROM_FILE = "from a file"
"""The validation context of what a person wrote: there, a key without a value is a mistake."""

_DURATION = re.compile(r"^(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?$")

SIZE_PATTERN = r"^[1-9]\d*[MG]$"
Size = Annotated[str, StringConstraints(pattern=SIZE_PATTERN)]
"""A size of memory or of a disk: 512M, 1G."""
RATE_PATTERN = r"^[1-9]\d*[KMG]$"
Rate = Annotated[str, StringConstraints(pattern=RATE_PATTERN)]
"""Bytes in a second: 500K, 10M."""

_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def size_bytes(size: str) -> int:
    """Bytes of a size or rate as inventories write it: 500K, 512M, 1G."""
    return int(size[:-1]) * _UNITS[size[-1]]


def seconds(value: object) -> object:
    """Seconds of a Compose duration ("1m30s", "500ms"), or of a plain number."""
    if isinstance(value, str):
        match = _DURATION.match(value)
        if not value or not match:
            raise ValueError(f"'{value}' is not a duration: write it like 30s, 1m30s or 500ms")
        hours, minutes, secs, millis = (float(part or 0) for part in match.groups())
        return hours * 3600 + minutes * 60 + secs + millis / 1000
    return value


Duration = Annotated[float, Field(ge=0), BeforeValidator(seconds, json_schema_input_type=str | float)]
"""A time in seconds, written like 30s, 1m30s, 500ms or as a number of seconds."""


def no_number(value: object) -> object:
    """Numbers stand for addresses, too, but nobody means that."""
    if isinstance(value, int | float):
        raise ValueError(f"must be an address such as 192.168.98.1, not {str(value).lower()}")
    return value


Subnet = Annotated[IPv4Network, Field(strict=False), BeforeValidator(no_number)]
"""A network such as 192.168.98.0/24."""


def _as_list(value: object) -> object:
    return value if isinstance(value, list | None) else [value]


Strings = Annotated[list[str], BeforeValidator(_as_list, json_schema_input_type=str | list[str])]
"""One string, or a list of them."""


class _NamesHosts:
    """Marks the fields whose values are hosts and roles."""


HostsAndRoles = Annotated[Strings, _NamesHosts()]
"""Hosts and roles, as a play names them."""


def placed(model: BaseModel) -> Iterator[str]:
    """The hosts and roles that the fields of a model name, as written."""
    for name, field in type(model).model_fields.items():
        if any(isinstance(one, _NamesHosts) for one in field.metadata):
            yield from getattr(model, name)


class Issue(NamedTuple):
    """Something wrong in a mapping, found by its own rules.

    `at` leads from the mapping to the value (or key) meant.
    """

    at: tuple[str | int, ...]
    message: str
    remedy: str = ""
    key: bool = False  # the key is meant, not its value


class InvalidModel(ValueError):
    """What a mapping's own rules found."""

    def __init__(self, issues: list[Issue]) -> None:
        super().__init__("; ".join(issue.message for issue in issues))
        self.issues = issues


class Model(BaseModel):
    """A mapping of a file.

    Unknown keys are errors, types are not guessed, and nothing changes after validation.

    A model's own rules, beyond the types of its keys, are what `issues` yields.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    null_allowed: ClassVar[frozenset[str]] = frozenset()  # keys where an explicit null says something
    compose_keys: ClassVar[Mapping[str, str] | None] = None
    """Where keys are Compose's: those that this model lacks, with what takes their place."""

    def issues(self) -> Iterator[Issue]:
        """What is wrong with this mapping, its keys being right each for itself."""
        yield from ()

    def given(self, *names: str) -> list[str]:
        """The fields that were given a value, by the keys that a file has for them."""
        fields = type(self).model_fields
        return [
            fields[name].alias or name
            for name in names
            if name in self.model_fields_set and getattr(self, name) is not None
        ]

    def _empty(self) -> Iterator[Issue]:
        for name in self.model_fields_set - self.null_allowed:
            if getattr(self, name) is None:
                key = type(self).model_fields[name].alias or name
                yield Issue((key,), f"'{key}' has no value", "Give it one, or leave the key out.", key=True)

    @model_validator(mode="after")
    def _obeys_its_rules(self, info: ValidationInfo) -> Self:
        issues = [*(self._empty() if info.context == FROM_FILE else ()), *self.issues()]
        if issues:
            raise InvalidModel(issues)
        return self
