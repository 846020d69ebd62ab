"""The JSON Schema of both files, from the models.

Editors complete and check them with it.
"""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import models_json_schema

from .inventory import Inventory
from .playbook import Play

_REFERENCE = {"type": "string", "pattern": r"\$\{[^{}]+\}", "description": "a value of the inventory"}


def json_schema() -> dict[str, Any]:
    """One schema for both.

    A file with `lab` is an inventory, any other is a playbook.

    `#/$defs/Inventory` and `#/$defs/Play` are the schemas of each.
    """
    _, schema = models_json_schema([(Inventory, "validation"), (Play, "validation")], by_alias=True)
    definitions = {name: _with_references(definition) for name, definition in schema["$defs"].items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "clusterlab inventory or playbook",
        "if": {"required": ["lab"]},
        "then": {"$ref": "#/$defs/Inventory"},
        "else": {"$ref": "#/$defs/Play"},
        "$defs": definitions,
    }


def _with_references(schema: Any) -> Any:
    """`schema` where a value that is not free text may also be a `${...}`."""
    if isinstance(schema, list):
        return [_with_references(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") in ("integer", "number", "boolean", "string") and _is_narrow(schema):
        outer = {key: schema[key] for key in ("default", "description", "examples", "title") if key in schema}
        inner = {key: value for key, value in schema.items() if key not in outer}
        return {**outer, "anyOf": [inner, _REFERENCE]}
    return {
        key: value if key in ("propertyNames", "default", "examples", "enum") else _with_references(value)
        for key, value in schema.items()
    }


def _is_narrow(schema: dict[str, Any]) -> bool:
    return schema["type"] != "string" or bool(schema.keys() & {"pattern", "format", "enum", "const"})
