"""Published ports in short and long form.

Sources: nat.ParsePortSpec of docker/go-connections and ConvertPortToPortConfig of docker/cli, for the short form.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from itertools import chain

from .field import Field
from .given import Place
from .stack import Port

_PROTOCOLS = ("tcp", "udp", "sctp")
_KEYS = {"target": "3.2", "published": "3.2", "protocol": "3.2", "mode": "3.2"}
_COMPOSE = "docker stack deploy refuses this key of Compose"
_REFUSED = {
    "host_ip": (_COMPOSE, "Leave it out: a Swarm publishes on every address of its nodes."),
    "name": (_COMPOSE, "Leave it out."),
    "app_protocol": (_COMPOSE, "Leave it out."),
}
_LARGEST = 65535
_FORM = "[[IP:]PUBLISHED:]TARGET[/PROTOCOL], such as 8080:80 or 53:53/udp"


def read_ports(field: Field) -> tuple[Port, ...]:
    """The ports of a service, each range as its ports."""
    if isinstance(field.value, str | int):
        field.wrong("ports must be a list", f'Write - "{field.written}" below it.')
        return ()
    return tuple(chain.from_iterable(field.items(_read)))


def _read(field: Field) -> tuple[Port, ...] | None:
    if isinstance(field.value, dict):
        port = _long(field)
        return None if port is None else (port,)
    if isinstance(field.value, bool | float | None.__class__) or not isinstance(field.value, str | int):
        field.wrong(f"must be {_FORM}, or a mapping with target and published")
        return None
    try:
        return tuple(parse_port(str(field.value), field.place))
    except ValueError as error:
        field.wrong(f"'{field.written}': {error}", f"Write {_FORM}.")
        return None


def parse_port(text: str, place: Place) -> Iterator[Port]:
    """The ports that a short form publishes; raises ValueError with what is wrong."""
    *before, target = text.split(":")
    published = before.pop() if before else ""
    address = ":".join(before)
    target, _, protocol = target.partition("/")
    protocol = protocol.split("/")[0].lower() or "tcp"
    if protocol not in _PROTOCOLS:
        raise ValueError("the protocol must be tcp, udp or sctp")
    if address:
        _check_address(address)
    first, last = _range(target, "the target port")
    low, high = _range(published, "the published port") if published else (0, 0)
    if published and last > first and last - first != high - low:
        raise ValueError("its two ranges have different lengths")
    by_key = sorted(range(first, last + 1), key=lambda port: f"{port}/{protocol}")
    for port in by_key:
        choices = range(low, high + 1) if first == last else [low + port - first if published else 0]
        for number in choices:
            yield Port(place, port, number, protocol, "ingress", address)


def _check_address(text: str) -> None:
    try:
        ipaddress.ip_address(text.removeprefix("[").removesuffix("]"))
    except ValueError:
        raise ValueError("what precedes the published port is not an IP address") from None


def _range(text: str, what: str) -> tuple[int, int]:
    parts = text.split("-")
    numbers = [int(part) if re.fullmatch(r"[0-9]{1,5}", part) else -1 for part in parts]
    if not all(0 <= number <= _LARGEST for number in numbers):
        raise ValueError(f"{what} must be a number up to {_LARGEST}, or a range such as 8000-8010")
    first, last = numbers[0], numbers[1] if len(numbers) > 1 else numbers[0]
    if last < first:
        raise ValueError(f"the range of {what} ends before it begins")
    return first, last


def _long(field: Field) -> Port | None:
    if field.value and not any(key in _KEYS or key in _REFUSED for key in field.value):
        field.wrong(f"must be {_FORM}, or a mapping with target and published", "Remove the blank after the :.")
        return None
    keys = field.keys(_KEYS, refused=_REFUSED)
    target = keys.read("target", lambda value: value.whole(1, _LARGEST))
    published = keys.read("published", _published)
    protocol = keys.read("protocol", lambda value: _word(value, *_PROTOCOLS))
    mode = keys.read("mode", lambda value: _word(value, "ingress", "host"))
    if "target" not in keys:
        field.wrong("the key 'target' is missing", "It is the port in the container.")
    if target is None:
        return None
    return Port(field.place, target.value, published or 0, protocol or "", mode or "")


def _published(field: Field) -> int | None:
    if isinstance(field.value, str) and not field.failed and not field.varies:
        text = field.written
        remedy = f"Leave the quotes out: {text}." if text.isdecimal() else "Write one item per port."
        field.wrong(f"published must be a whole number, not '{text}'", remedy)
        return None
    number = field.whole(0, _LARGEST)
    return number.value if number else None


def _word(field: Field, *choices: str) -> str | None:
    """One of a few words, in any case.

    The engine silently takes others for the first.
    """
    if isinstance(field.value, str) and field.value.lower() in ("", *choices):
        return field.value
    found = field.one_of(*choices)
    return found.value if found else None
