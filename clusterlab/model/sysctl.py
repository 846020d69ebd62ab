"""Kernel parameters of the inventory, named as sysctl(8) has them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import Field

from .base import Issue

Sysctls = Annotated[
    dict[str, int | str],
    Field(
        default_factory=dict,
        description="kernel parameters, now and at every boot; those of a host come before those for all hosts",
        examples=[{"net.core.somaxconn": 1024}],
    ),
]
_NAME = re.compile(r"[a-z0-9_]+([./][A-Za-z0-9_@:-]+)+")
_VALUE = re.compile(r"[^\s\"'\\$`][^\n\"'\\$`]*")


def proc_path(name: str) -> str:
    """The parameter's file below /proc/sys.

    The first separator shows whether dots or slashes separate names.
    """
    first = re.search(r"[./]", name)
    return name.translate(str.maketrans("./", "/.")) if first and first[0] == "." else name


def issues(sysctls: Mapping[str, int | str]) -> Iterator[Issue]:
    """What is wrong with names and values, each at its key below `sysctl`."""
    for name, value in sysctls.items():
        if not _NAME.fullmatch(name):
            remedy = "Write it as sysctl(8) does, for example net.core.somaxconn."
            yield Issue(("sysctl", name), f"'{name}' is not the name of a kernel parameter", remedy, key=True)
        if isinstance(value, str) and not _VALUE.fullmatch(value):
            yield Issue(("sysctl", name), f"{value!r} is not a value of a kernel parameter", "Write it on one line.")
