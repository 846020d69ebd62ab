"""Which model stands at a path of a file.

Needed to say which keys are known there.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from .base import Model
from .deferred import Deferred
from .source import KeyPath


def models_at(root: type[Model], path: KeyPath) -> list[type[Model]]:
    """The models that a mapping at `path` may be.

    None where there is no mapping with fixed keys.
    """
    annotations: list[Any] = [root]
    for key in path:
        annotations = [inner for annotation in annotations for inner in _inside(annotation, key)]
    return [found for annotation in annotations for found in _alternatives(annotation) if _is_model(found)]


def keys_of(model: type[Model]) -> list[str]:
    """The keys that a file may have for a model."""
    return [field.alias or name for name, field in model.model_fields.items()]


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Model)


def _alternatives(annotation: Any) -> Iterator[Any]:
    """The members of a union, without what annotates them."""
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *extra = get_args(annotation)
        deferred = [one.complete() for one in extra if isinstance(one, Deferred)]
        yield from _alternatives(*(deferred or [inner]))
    elif origin in (Union, UnionType):
        for member in get_args(annotation):
            yield from _alternatives(member)
    else:
        yield annotation


def _inside(annotation: Any, key: str | int) -> Iterator[Any]:
    """What may stand under `key` of something annotated so."""
    for found in _alternatives(annotation):
        if _is_model(found):
            yield from (field.annotation for name, field in found.model_fields.items() if key in (name, field.alias))
        elif get_origin(found) is dict:
            yield get_args(found)[1]
        elif get_origin(found) is list:
            yield get_args(found)[0]
