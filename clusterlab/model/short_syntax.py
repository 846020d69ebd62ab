"""Compose's short forms of mounts, ports and option lists."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Literal

from .base import OBJECT_PATTERN
from .long_forms import LongMount, LongPort


@dataclass(frozen=True)
class Mount:
    """One item of a container's or service's `volumes:`."""

    type: Literal["volume", "bind", "anonymous", "tmpfs"]
    source: str  # a volume's name, an absolute path on the host, or "" for an anonymous volume
    target: str  # an absolute path in the container
    read_only: bool = False
    nocopy: bool = False
    propagation: str = ""
    size: int = 0  # bytes of a tmpfs, 0 for no limit


@dataclass(frozen=True)
class PortMapping:
    """One item of a container's or service's `ports:`.

    Without a host port the engine chooses one.
    """

    address: str | None
    host_port: int | None
    port: int
    protocol: Literal["tcp", "udp", "sctp"] = "tcp"
    mode: Literal["ingress", "host"] = "ingress"


def parse_mount(text: str | LongMount) -> Mount:
    """The mount that NAME:/path, /host/path:/path or /path says, each with :ro or :rw; or that the long form says.

    Raises ValueError with what is wrong, for people.
    """
    if isinstance(text, LongMount):
        return _of_long_form(text)
    source, target, mode = _split_mount(text)
    if not target.startswith("/"):
        raise ValueError(f"'{text}': the path in the container, '{target}', must begin with /")
    if target == "/":
        raise ValueError(f"'{text}': nothing can be mounted on / itself")
    if mode not in ("ro", "rw"):
        raise ValueError(f"'{text}': the mode '{mode}' is not supported by clusterlab, only ro and rw are")
    read_only = mode == "ro"
    if not source:
        return Mount("anonymous", "", target, read_only)
    if source.startswith("/"):
        return Mount("bind", source, target, read_only)
    if source.startswith((".", "~")):
        raise ValueError(f"'{text}': '{source}' is relative to this machine; containers need a path that begins with /")
    if not re.match(OBJECT_PATTERN, source):
        raise ValueError(f"'{text}': '{source}' is neither a volume's name nor a path that begins with /")
    return Mount("volume", source, target, read_only)


def _of_long_form(mount: LongMount) -> Mount:
    anonymous = mount.type == "volume" and not mount.source
    return Mount(
        "anonymous" if anonymous else mount.type,
        mount.source,
        mount.target,
        mount.read_only,
        nocopy=bool(mount.volume and mount.volume.nocopy),
        propagation=(mount.bind and mount.bind.propagation) or "",
        size=mount.tmpfs.size if mount.tmpfs else 0,
    )


def _split_mount(text: str) -> tuple[str, str, str]:
    parts = text.split(":")
    if len(parts) > 3 or not all(parts):
        raise ValueError(f"'{text}' is not a mount: write NAME:/path, /host/path:/path or /path, with :ro where needed")
    match parts:
        case [target]:
            return "", target, "rw"
        case [target, ("ro" | "rw") as mode]:
            return "", target, mode
        case [source, target]:
            return source, target, "rw"
        case _:
            return parts[0], parts[1], parts[2]


def parse_port(text: str | int | LongPort) -> PortMapping:
    """The port that [[address:]host-port:]port[/protocol] publishes, or the long form.

    Raises ValueError with what is wrong, for people.
    """
    if isinstance(text, LongPort):
        return PortMapping(None, text.published, text.target, text.protocol, text.mode)
    body, slash, protocol = str(text).partition("/")
    if slash and protocol not in ("tcp", "udp", "sctp"):
        raise ValueError(f"'{text}': the protocol must be tcp, udp or sctp, not '{protocol}'")
    *before, port = body.split(":")
    if len(before) > 2 or not all((*before, port)):
        raise ValueError(f"'{text}' is not a port: write [[address:]host-port:]port[/protocol], such as 8080:80")
    address = _ip(text, before[0]) if len(before) == 2 else None
    host_port = _number(text, before[-1]) if before else None
    kind: Literal["tcp", "udp", "sctp"] = protocol or "tcp"  # type: ignore[assignment]  # compared above
    return PortMapping(address, host_port, _number(text, port), kind)


def _number(text: str | int, part: str) -> int:
    if re.fullmatch(r"\d+-\d+", part):
        raise ValueError(f"'{text}': ranges of ports are not supported by clusterlab: write one item per port")
    if not part.isdecimal() or not 1 <= int(part) <= 65535:
        raise ValueError(f"'{text}': '{part}' is not a port: it must be a number from 1 to 65535")
    return int(part)


def _ip(text: str | int, part: str) -> str:
    try:
        return str(IPv4Address(part))
    except ValueError:
        raise ValueError(f"'{text}': '{part}' is not an IPv4 address") from None


def parse_options(text: str) -> dict[str, str]:
    """Mount options as of `mount -o`.

    "addr=192.168.98.1,rw" gives {"addr": "192.168.98.1", "rw": ""}.
    """
    pairs = (item.partition("=") for item in text.split(",") if item)
    return {key: value for key, _, value in pairs}
