"""Models that are complete only when a file is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema

from .base import Model


@dataclass(frozen=True)
class Deferred:
    """Annotates a field whose model `complete` returns.

    The model that has the field must say `defer_build=True`, so that `complete` is called on first validation.
    """

    complete: Callable[[], type[Model]]

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return handler.generate_schema(self.complete())
