"""Pages of what files may say, from the models that validate them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from clusterlab.checks.kinds import KINDS
from clusterlab.faults.kinds import FAULTS
from clusterlab.model.inventory import Inventory
from clusterlab.model.playbook import Play

_NAMES = {"string": "text", "integer": "number", "array": "list", "object": "mapping", "boolean": "true or false"}


def checks_page() -> str:
    """Every kind of check with its keys."""
    lines = [
        "# Checks",
        "",
        "A statement of a play has a `title` and one of these keys. See also [plays](plays.md).",
        "",
    ]
    for name, kind in KINDS.items():
        lines += [f"## {name}", "", _summary(kind.model), "", *_table(_schema(kind.model)), ""]
    return "\n".join(lines)


def inventory_page() -> str:
    """The inventory and the mappings in it."""
    return _page("Inventory", Inventory)


def plays_page() -> str:
    """The play and the mappings in it."""
    return _page("Plays", Play, omit=frozenset(KINDS) | frozenset(FAULTS))


def _page(title: str, model: type[BaseModel], omit: frozenset[str] = frozenset()) -> str:
    schema = _schema(model)
    lines = [f"# {title}", "", _summary(model), "", *_table(schema), ""]
    probes = {kind.model.__name__ for kind in KINDS.values()} | {kind.model.__name__ for kind in FAULTS.values()}
    for name, part in schema.get("$defs", {}).items():
        if "properties" in part and name not in probes:
            lines += [f"## {name}", "", _first(part.get("description", "")), "", *_table(part, omit), ""]
    return "\n".join(lines)


def table(model: type[BaseModel]) -> Iterator[str]:
    """The keys of a model, what values they take, and what they mean."""
    yield from _table(_schema(model))


def _schema(model: type[BaseModel]) -> Mapping[str, Any]:
    return model.model_json_schema(by_alias=True)


def _summary(model: type[BaseModel]) -> str:
    return _first(inspect.getdoc(model) or "")


def _first(text: str) -> str:
    return " ".join(text.split("\n\n")[0].split())


def _table(schema: Mapping[str, Any], omit: frozenset[str] = frozenset()) -> Iterator[str]:
    required = schema.get("required", [])
    yield "| key | value | meaning |"
    yield "|---|---|---|"
    for key, value in schema.get("properties", {}).items():
        if key not in omit:
            needed = " (required)" if key in required else ""
            yield f"| `{key}`{needed} | {_cell(_kind(value))} | {_cell(_meaning(value))} |"


def _meaning(value: Mapping[str, Any]) -> str:
    text = str(value.get("description", ""))
    default = value.get("default")
    if default not in (None, "", [], {}) and not isinstance(default, dict):
        text += f"{'; ' if text else ''}default: `{default}`"
    return text


def _kind(value: Mapping[str, Any]) -> str:
    if "$ref" in value:
        return str(value["$ref"]).rpartition("/")[2]
    if "const" in value:
        return f"`{value['const']}`"
    if "enum" in value:
        return ", ".join(f"`{one}`" for one in value["enum"])
    for several in ("anyOf", "oneOf", "allOf"):
        if several in value:
            kinds = [_kind(one) for one in value[several] if one.get("type") != "null"]
            return " or ".join(dict.fromkeys(kinds))
    kind = str(value.get("type", "any"))
    if kind == "array" and isinstance(value.get("items"), dict):
        return f"list of {_kind(value['items'])}"
    if kind == "object" and isinstance(value.get("additionalProperties"), dict):
        return f"mapping of {_kind(value['additionalProperties'])}"
    return _NAMES.get(kind, kind)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
