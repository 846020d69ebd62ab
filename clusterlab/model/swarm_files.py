"""Configs and secrets of a play: files that the Swarm keeps, and gives to the tasks of services that use them.

https://github.com/compose-spec/compose-spec/blob/main/spec.md
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, PrivateAttr

from .base import Model
from .compose_forms import Labels


class SwarmFile(Model):
    """What configs and secrets have in common."""

    file: str = Field(description="its content; relative to the play")
    template_driver: Literal["golang"] | None = Field(
        default=None, description="golang: the content is a template, filled in for each task"
    )
    labels: Labels = Field(default_factory=dict)
    _path: Path = PrivateAttr(default=Path())
    _data: bytes = PrivateAttr(default=b"")

    @property
    def path(self) -> Path:
        """The file on this machine, once it was read."""
        return self._path

    @property
    def data(self) -> bytes:
        """What the file held when it was read."""
        return self._data

    def holding(self, data: bytes, path: Path) -> Self:
        """The same, read."""
        copy = self.model_copy()
        copy._data, copy._path = data, path
        return copy


class Config(SwarmFile):
    """A config of the Swarm, which anybody can read who may ask a manager."""


class Secret(SwarmFile):
    """A secret of the Swarm, which only the tasks that use it can read."""
