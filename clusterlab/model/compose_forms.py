"""Compose's alternative forms of a mapping, converted to that of the models."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from .base import Model

_Text = dict[str, str | int]


def _list_or_mapping(value: object) -> None:
    if not isinstance(value, list | dict):
        raise ValueError("must be a list or a mapping")
    if isinstance(value, list) and not all(isinstance(item, str) for item in value):
        raise ValueError("all items of this list must be text")


def _labels(value: object) -> object:
    """A list of "KEY=VALUE"; a key alone has an empty value."""
    _list_or_mapping(value)
    if isinstance(value, list):
        return {key: text for key, _, text in (item.partition("=") for item in value)}
    return value


def _environment(value: object) -> object:
    """A list of "KEY=VALUE".

    Compose passes on its own environment for a key alone: clusterlab does not.
    """
    _list_or_mapping(value)
    bare: list[object] = []
    if isinstance(value, list):
        bare = [item for item in value if "=" not in item]
    elif isinstance(value, dict):
        bare = [key for key, text in value.items() if text is None]
    if bare:
        raise ValueError(f"'{bare[0]}' has no value, and clusterlab does not pass on your own environment")
    return _labels(value)


def _hosts(value: object) -> object:
    """A list of "name=address" or "name:address"."""
    _list_or_mapping(value)
    if isinstance(value, list):
        for item in value:
            if "=" not in item and ":" not in item:
                raise ValueError(f"'{item}' has no address: write it as name=address")
        separators = ("=" if "=" in item else ":" for item in value)
        return {name: address for name, _, address in map(str.partition, value, separators)}
    return value


def _networks(value: object) -> object:
    """A list of names."""
    _list_or_mapping(value)
    if isinstance(value, list):
        return dict.fromkeys(value)
    return value


Labels = Annotated[_Text, BeforeValidator(_labels, json_schema_input_type=_Text | list[str])]
Environment = Annotated[_Text, BeforeValidator(_environment, json_schema_input_type=_Text | list[str])]
ExtraHosts = Annotated[dict[str, str], BeforeValidator(_hosts, json_schema_input_type=dict[str, str] | list[str])]


class Attachment(Model):
    """How a container is on one network."""

    aliases: list[str] = Field(default_factory=list)
    ipv4_address: str | None = None


Attachments = Annotated[
    dict[str, Attachment | None],
    BeforeValidator(_networks, json_schema_input_type=dict[str, Attachment | None] | list[str]),
]


def empty_mapping(value: object) -> object:
    """A key without a value, where Compose takes it for a mapping with nothing in it."""
    return {} if value is None else value
