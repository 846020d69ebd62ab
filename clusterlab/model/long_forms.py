"""Compose's long forms of what a Swarm service has: mounts, ports, files, limits and logging.

https://github.com/compose-spec/compose-spec/blob/main/spec.md
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from .base import OBJECT_PATTERN, SIZE_PATTERN, Issue, Model, size_bytes

_TYPES = ("volume", "bind", "tmpfs")


class VolumeOptions(Model):
    nocopy: bool = Field(default=False, description="whether a new volume stays empty, whatever the image has there")


class BindOptions(Model):
    propagation: Literal["rprivate", "private", "rshared", "shared", "rslave", "slave"] | None = None


def _bytes(value: object) -> object:
    if isinstance(value, str) and not re.match(SIZE_PATTERN, value):
        raise ValueError(f"'{value}' must be a number of bytes, or a size such as 64M")
    return size_bytes(value) if isinstance(value, str) else value


class TmpfsOptions(Model):
    size: Annotated[int, Field(ge=0), BeforeValidator(_bytes, json_schema_input_type=int | str)] = Field(
        description="bytes, or a size such as 64M"
    )


class LongMount(Model):
    """A mount of a service."""

    type: Literal["volume", "bind", "tmpfs"]
    source: str = Field(default="", description="a volume of the play, or an absolute path on the nodes")
    target: str = Field(description="an absolute path in the container")
    read_only: bool = False
    volume: VolumeOptions | None = None
    bind: BindOptions | None = None
    tmpfs: TmpfsOptions | None = None

    def issues(self) -> Iterator[Issue]:
        if not self.target.startswith("/") or self.target == "/":
            yield Issue(("target",), f"'{self.target}' must be an absolute path, and not / itself")
        if self.type == "bind" and not self.source.startswith("/"):
            yield Issue(("source",), "a bind mount needs a source: a path on the nodes that begins with /")
        if self.type == "volume" and self.source and not _is_name(self.source):
            yield Issue(("source",), f"'{self.source}' is not a volume's name", "For a path, write type: bind.")
        if self.type == "tmpfs" and self.source:
            yield Issue(("source",), "a tmpfs mount has no source", "Leave it out.", True)
        for name in _TYPES:
            if name != self.type and self.given(name):
                yield Issue((name,), f"a {self.type} mount has no {name} options", "Leave them out.", True)


def _is_name(source: str) -> bool:
    return re.match(OBJECT_PATTERN, source) is not None


class LongPort(Model):
    """A published port of a service."""

    target: int = Field(ge=1, le=65535, description="the port in the container")
    published: int | None = Field(default=None, ge=1, le=65535, description="default: the engine chooses one")
    protocol: Literal["tcp", "udp", "sctp"] = "tcp"
    mode: Literal["ingress", "host"] = Field(
        default="ingress", description="ingress: on every node; host: on the nodes of its tasks"
    )


class Ulimit(Model):
    soft: int = Field(ge=-1)
    hard: int = Field(ge=-1)


class Logging(Model):
    driver: str
    options: dict[str, str | int] = Field(default_factory=dict)


def _mode(value: object) -> object:
    """A mode as it was written: 0440 is text for plays, and octal."""
    if isinstance(value, str) and value.isdecimal() and set(value) <= set("01234567"):
        return int(value, 8)
    raise ValueError("must be an octal number such as 0440")


class FileReference(Model):
    """A config or secret as a file of a service's containers."""

    source: str = Field(description="a config or secret of the play")
    target: str = Field(default="", description="default: /NAME for configs, /run/secrets/NAME for secrets")
    uid: str = "0"
    gid: str = "0"
    mode: Annotated[int, BeforeValidator(_mode, json_schema_input_type=str)] = Field(
        default=0o444, description="octal, such as 0440"
    )

    def issues(self) -> Iterator[Issue]:
        for key in ("uid", "gid"):
            if not getattr(self, key).isdecimal():
                yield Issue((key,), f"'{getattr(self, key)}' must be a number in quotes, such as \"0\"")


def reference(item: str | FileReference) -> FileReference:
    """A config or secret that a service uses: in the short form, by its name alone."""
    return FileReference(source=item) if isinstance(item, str) else item


class CredentialSpec(Model):
    """The account of a Windows container in a domain."""

    config: str | None = Field(default=None, description="a config of the play")
    file: str | None = Field(default=None, description="a file in the engine's folder CredentialSpecs")
    registry: str | None = Field(default=None, description="a value in the registry of the nodes")

    def issues(self) -> Iterator[Issue]:
        if len(self.given("config", "file", "registry")) != 1:
            yield Issue((), "exactly one of config, file and registry must be given")
