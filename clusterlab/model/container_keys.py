"""Keys that everything has which becomes a container.

What is wrong with their values, each for itself.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence

from .base import Issue
from .long_forms import LongMount, LongPort
from .short_syntax import parse_mount, parse_port

Command = str | list[str]
"""A string is split as a shell would split it (shlex), a list is taken as it is."""


def command_faults(key: str, command: Command | None) -> Iterator[Issue]:
    if isinstance(command, str):
        try:
            shlex.split(command)
        except ValueError:
            yield Issue(
                (key,), f"'{command}': a quote is opened and not closed", "Close it, or write the command as a list."
            )


def mount_faults(volumes: Sequence[str | LongMount]) -> Iterator[Issue]:
    seen: set[str] = set()
    for index, text in enumerate(volumes):
        try:
            target = parse_mount(text).target
        except ValueError as error:
            yield Issue(("volumes", index), str(error))
            continue
        if target in seen:
            yield Issue(("volumes", index), f"{_written(text)}something else is already mounted on {target}")
        seen.add(target)


def _written(item: str | LongMount) -> str:
    return f"'{item}': " if isinstance(item, str) else ""


def tmpfs_faults(paths: Sequence[str]) -> Iterator[Issue]:
    for index, path in enumerate(paths):
        if not path.startswith("/"):
            yield Issue(("tmpfs", index), f"'{path}' is not an absolute path", "Begin it with /.")


def network_faults(mode: str | None, networks: object, ports: object) -> Iterator[Issue]:
    """What is mutually exclusive among `network_mode`, `networks` and `ports`."""
    if mode is not None and networks:
        remedy = f"Leave one of them out: with network_mode {mode} it is on no other network."
        yield Issue(("network_mode",), "'network_mode' and 'networks' are mutually exclusive", remedy, True)
    if mode == "host" and ports:
        remedy = "Leave ports out: the container opens its ports on the host itself."
        yield Issue(("ports",), "a container on the host's network cannot publish ports", remedy, True)
    if mode == "none" and ports:
        yield Issue(("ports",), "a container without a network cannot publish ports", "Leave one of them out.", True)


def port_faults(
    key: str, items: Sequence[str | int | LongPort], parse: Callable[[str | int | LongPort], object] = parse_port
) -> Iterator[Issue]:
    for index, item in enumerate(items):
        try:
            parse(item)
        except ValueError as error:
            yield Issue((key, index), str(error))
