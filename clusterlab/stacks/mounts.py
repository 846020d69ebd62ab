"""Mounts of services in short and long form.

Sources: volume.go of docker/cli's loader, for the short form; its converter, for which options fit which type.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from .field import Field, Keys
from .given import Given, Place
from .stack import Mount

T = TypeVar("T")

PROPAGATIONS = ("rprivate", "private", "rshared", "shared", "rslave", "slave")
TYPES = ("volume", "bind", "tmpfs", "npipe", "cluster", "image")
_KEYS = {
    "type": "3.2",
    "source": "3.2",
    "target": "3.2",
    "read_only": "3.2",
    "consistency": "3.2",
    "bind": "3.2",
    "volume": "3.2",
    "tmpfs": "3.6",
}


def read_mount(field: Field) -> Mount | None:
    """One item of `volumes`, None where it is wrong."""
    if isinstance(field.value, str):
        text = field.text()
        if text is None:
            return None
        try:
            return replace(parse_mount(text.value), place=field.place, varies=field.varies)
        except ValueError as error:
            field.wrong(f"'{field.written}': {error}", "Write [SOURCE:]TARGET[:OPTIONS], such as data:/data:ro.")
            return None
    if not isinstance(field.value, dict):
        field.wrong("must be text, such as data:/data, or a mapping with type and target")
        return None
    return _long(field)


def parse_mount(text: str) -> Mount:
    """The mount that `[source:]target[:options]` means.

    Raises ValueError with what is wrong.
    """
    parts = _sections(text) if len(text) > 2 else [text]
    if not all(parts):
        raise ValueError("a part between colons is empty")
    if len(parts) > 3:
        raise ValueError("it has too many colons")
    if not parts:
        raise ValueError("it is empty")
    source, target = ("", parts[0]) if len(parts) == 1 else (parts[0], parts[1])
    mount = Mount(Place("", 0, 0), "bind" if is_path(source) else "volume", source, target)
    for option in parts[2].split(",") if len(parts) == 3 else []:
        mount = _with_option(mount, option)
    return mount


def _sections(text: str) -> list[str]:
    """The parts between colons.

    A single letter with its colon is a drive, and divides nothing.
    """
    parts = [""]
    for character in text:
        if character == ":" and not (len(parts[-1]) == 1 and parts[-1].isalpha()):
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _with_option(mount: Mount, option: str) -> Mount:
    match option:
        case "ro" | "rw":
            return replace(mount, read_only=option == "ro")
        case "nocopy":
            return replace(mount, nocopy=True, options=mount.options | {"volume"})
        case _ if option in PROPAGATIONS:
            return replace(mount, propagation=option, options=mount.options | {"bind"})
        case "":
            return mount
        case _:
            return replace(mount, ignored=(*mount.ignored, option))


def is_path(source: str) -> bool:
    """Whether a source is a path on the node rather than a volume's name."""
    if source.startswith((".", "/", "~", "\\\\")):
        return True
    return len(source) > 1 and has_drive(source)


def has_drive(path: str) -> bool:
    """Whether a path begins with a letter and a colon, as on Windows."""
    return path[:1].isalpha() and path[1:2] == ":"


def _long(field: Field) -> Mount | None:
    if not any(key in _KEYS for key in field.value):
        field.wrong(
            "must be text, such as data:/data, or a mapping with type and target", "Remove the blank after the :."
        )
        return None
    keys = field.keys(_KEYS)
    if "type" not in keys:
        field.wrong("the key 'type' is missing", "Give it: type: volume, bind, tmpfs, npipe or cluster.")
        return None
    kind = keys.read("type", lambda value: value.one_of(*TYPES))
    source, target = keys.read("source", Field.text), keys.read("target", Field.text)
    read_only, consistency = keys.read("read_only", Field.boolean), keys.read("consistency", Field.text)
    options = {name: found for name in ("bind", "volume", "tmpfs") if (found := keys.read(name, _options)) is not None}
    if "target" not in keys:
        field.wrong("the key 'target' is missing", "It is the path in the container.")
    if kind is None or target is None:
        return None
    return Mount(
        place=field.place,
        type=kind.value,
        source=source.value if source else "",
        target=target.value,
        read_only=bool(read_only and read_only.value),
        consistency=consistency.value if consistency else "",
        nocopy=_read(options, "volume", "nocopy", Field.boolean),
        subpath=_read(options, "volume", "subpath", Field.text),
        propagation=_read(options, "bind", "propagation", lambda value: value.one_of("", *PROPAGATIONS)),
        size=_read(options, "tmpfs", "size", _bytes),
        options=frozenset(options),
        varies=any(keys.found[name].varies for name in ("source", "target") if name in keys),
        ignored=tuple(f"{name}.{key}" for name, found in options.items() for key in found.unknown)
        + (("consistency",) if consistency else ()),
        places={name: value.place for name, value in keys.found.items()},
    )


_OPTIONS = {"bind": {"propagation": ""}, "volume": {"nocopy": "", "subpath": ""}, "tmpfs": {"size": ""}}


def _options(field: Field) -> Keys | None:
    if isinstance(field.value, dict):
        return field.keys(_OPTIONS[str(field.path[-1])], lenient=True)
    field.expected("a mapping")
    return None


def _read(options: Mapping[str, Keys], kind: str, key: str, read: Callable[[Field], Given[T] | None]) -> T | None:
    found = options[kind].read(key, read) if kind in options else None
    return found.value if found else None


def _bytes(field: Field) -> Given[int] | None:
    if isinstance(field.value, str) and not field.failed:
        field.wrong(f"size must be a number of bytes, not '{field.written}'", "Write 67108864 for 64 MiB.")
        return None
    return field.whole()


def resolve_source(mount: Mount, folder: Path, home: str | None) -> Mount:
    """A bind with its source as an absolute path.

    `~` is the client's HOME, other paths start at `folder`.
    """
    mount = replace(mount, original=mount.source)
    if mount.type != "bind" or not mount.source:
        return mount
    source = mount.source
    if source.startswith("~") and home is not None:
        source = home + source[1:]
    if not source.startswith("/") and not is_windows_path(source):
        source = posixpath.normpath(posixpath.join(str(folder), source))
    return replace(mount, source=source)


def is_windows_path(path: str) -> bool:
    """Whether a path is absolute on Windows: a drive and a slash, or a share."""
    return (has_drive(path) and path[2:3] in ("\\", "/")) or (path.startswith("\\\\") and path[2:3] not in (".", "\\"))
