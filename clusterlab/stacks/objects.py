"""The top-level networks, volumes, configs and secrets of a stack file."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

from .field import Field, Keys
from .given import Given
from .quantities import size_in_bytes
from .stack import FileObject, Labels, Network, Texts, Volume

T = TypeVar("T")

NAME = r"[a-zA-Z0-9._-]+"
"""What the keys of services, networks, volumes, configs and secrets are made of."""

_NETWORK = {
    **dict.fromkeys(["driver", "driver_opts", "ipam", "external", "internal", "labels"], ""),
    "attachable": "3.2",
    "name": "3.5",
}
_VOLUME = {**dict.fromkeys(["driver", "driver_opts", "external", "labels"], ""), "name": "3.4"}
_CONFIG = {"file": "", "external": "", "labels": "", "name": "3.5", "template_driver": "3.8"}
_SECRET = {**_CONFIG, "driver": "3.8", "driver_opts": "3.8"}
_COMPOSE = "docker stack deploy refuses this key of Compose"
_REFUSED_NETWORK = {
    "enable_ipv6": (_COMPOSE, "Leave it out: overlay networks have IPv4."),
    "enable_ipv4": (_COMPOSE, "Leave it out."),
}
_REFUSED_IPAM = dict.fromkeys(
    ("gateway", "ip_range", "aux_addresses"), (_COMPOSE, "Give the subnet alone: the first address is the gateway.")
)
_REFUSED_FILE = {
    "content": (_COMPOSE, "Put the content into a file, and name it with `file`."),
    "environment": (_COMPOSE, "Put the value into a file, and name it with `file`."),
}


def section(top: Keys, name: str, read: Callable[[Field], T | None]) -> dict[str, T]:
    """The things of a top-level key by their keys."""
    found = top.found.get(name)
    if found is None:
        return {}
    things = {}
    for key, entry in found.entries():
        if not re.fullmatch(NAME, key):
            entry.wrong("a name has letters, digits, and . _ - alone")
        elif (thing := read(entry)) is not None:
            things[key] = thing
    return things


def read_network(field: Field) -> Network:
    key = str(field.path[-1])
    if field.value is None:
        return Network(key, field.place)
    keys = field.keys(_NETWORK, extensions="3.7", refused=_REFUSED_NETWORK)
    ipam = keys.read("ipam", lambda value: value.keys({"driver": "", "config": ""}))
    external, name = _external(keys)
    return Network(
        key,
        field.place,
        name,
        external,
        driver=keys.read("driver", Field.text),
        driver_opts=keys.read("driver_opts", Field.options) or {},
        ipam_driver=ipam.read("driver", Field.text) if ipam else None,
        subnets=ipam.read_list("config", _subnets) if ipam else (),
        internal=_is_true(keys, "internal"),
        attachable=_is_true(keys, "attachable"),
        labels=keys.read("labels", Field.labels) or {},
        old_name=_is_older(keys),
    )


def _subnets(field: Field) -> Texts:
    return field.items(_subnet, unique=False)


def _subnet(field: Field) -> Given[str] | None:
    keys = field.keys({"subnet": ""}, refused=_REFUSED_IPAM)
    if field.value == {}:
        field.wrong("the key 'subnet' is missing")
    return keys.read("subnet", Field.text)


def read_volume(field: Field) -> Volume:
    key = str(field.path[-1])
    if field.value is None:
        return Volume(key, field.place)
    keys = field.keys(_VOLUME, extensions="3.7")
    _check_cluster_spec(field)
    external, name = _external(keys)
    options: Labels | None = keys.read("driver_opts", Field.options)
    volume = Volume(
        key,
        field.place,
        name,
        external,
        driver=keys.read("driver", Field.text),
        driver_opts=options,
        labels=keys.read("labels", Field.labels) or {},
        old_name=_is_older(keys),
    )
    for name_of_key in ("driver", "driver_opts", "labels") if external else ():
        if name_of_key in keys and keys.found[name_of_key].value:
            keys.found[name_of_key].wrong(
                f"an external volume cannot have {name_of_key}",
                "Leave it out, or leave external out for a volume of the stack.",
            )
    return volume


_CLUSTER_SPEC: dict[str, Any] = {
    "group": "text",
    "access_mode": {
        "scope": "text",
        "sharing": "text",
        "block_volume": {},
        "mount_volume": {"fs_type": "text", "mount_flags": ["text"]},
    },
    "accessibility_requirements": {"requisite": [{"segments": "labels"}], "preferred": [{"segments": "labels"}]},
    "capacity_range": {"required_bytes": "size", "limit_bytes": "size"},
    "secrets": [{"key": "text", "secret": "text"}],
    "availability": "text",
}


def _check_cluster_spec(field: Field) -> None:
    """x-cluster-spec of a volume has a schema since 3.10, although it has no effect."""
    name = "x-cluster-spec"
    if isinstance(field.value, dict) and name in field.value and field.source.version.has("3.10"):
        _check(Field(field.value[name], (*field.path, name), field.source), _CLUSTER_SPEC)


def _check(field: Field, shape: Any) -> None:
    if shape == "text":
        field.text()
    elif shape == "size":
        field.parsed(field.text(), size_in_bytes, "a size such as 10G")
    elif shape == "labels":
        field.labels()
    elif isinstance(shape, list):
        field.items(lambda item: _check(item, shape[0]), unique=False)
    elif isinstance(field.value, dict):
        for key, found in field.keys(dict.fromkeys(shape, ""), lenient=True).found.items():
            _check(found, shape[key])
    else:
        field.expected("a mapping")


def read_config(field: Field) -> FileObject:
    return _file_object(field, _CONFIG)


def read_secret(field: Field) -> FileObject:
    return _file_object(field, _SECRET)


def _file_object(field: Field, known: dict[str, str]) -> FileObject:
    keys = field.keys(known, extensions="3.7", refused=_REFUSED_FILE)
    external, name = _external(keys, lenient=True)
    driver, file = keys.read("driver", Field.text), keys.read("file", Field.text)
    if driver and driver.value and file and file.value and not external:
        keys.found["file"].wrong("driver and file are mutually exclusive", "Leave one of the two out.")
    refused = isinstance(field.value, dict) and any(key in field.value for key in _REFUSED_FILE)
    return FileObject(
        str(field.path[-1]),
        field.place,
        name,
        external,
        file=file,
        labels=keys.read("labels", Field.labels) or {},
        template_driver=keys.read("template_driver", lambda value: value.one_of("", "golang")),
        driver=driver,
        driver_opts=keys.read("driver_opts", Field.options) or {},
        old_name=_is_older(keys),
        broken=refused or ("file" in keys and file is None) or not isinstance(field.value, dict),
    )


def _is_older(keys: Keys) -> bool:
    return "external" in keys and isinstance(keys.found["external"].value, dict)


def _external(keys: Keys, *, lenient: bool = False) -> tuple[bool, Given[str] | None]:
    """Whether a thing is external, and its name.

    By `name`, or by the older `external: {name: ...}`.
    """
    name = keys.read("name", Field.text)
    field = keys.found.get("external")
    if field is None:
        return False, name
    if not isinstance(field.value, dict):
        found = field.boolean()
        return bool(found and found.value), name
    older = field.keys({"name": ""}, lenient=lenient).read("name", Field.text)
    if older and older.value and name and name.value:
        field.wrong("name is given here and in external", "Write external: true, and name beside it.")
    return True, older if older and older.value else name


def _is_true(keys: Keys, key: str) -> bool:
    found = keys.read(key, Field.boolean)
    return bool(found and found.value)
