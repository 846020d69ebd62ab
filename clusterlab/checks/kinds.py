"""The kinds of checks, each a module of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from . import command, dns, file, http, inspect, mount, ping, port, run, shared_file, veth
from .finding import Finding
from .place import Places

ASK: Mapping[str, Callable[[Any, Places], list[Finding]]] = {
    "command": command.ask,
    "run": run.ask,
    "http": http.ask,
    "ping": ping.ask,
    "dns": dns.ask,
    "port": port.ask,
    "mount": mount.ask,
    "file": file.ask,
    "shared_file": shared_file.ask,
    "veth": veth.ask,
    "inspect": inspect.ask,
}
