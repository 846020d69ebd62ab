"""The kinds of checks, each a module of its own."""

from __future__ import annotations

from typing import Any

from clusterlab.checks.kind import CheckKind
from clusterlab.registry import Registry

from . import command, dns, file, http, inspect, mount, ping, port, run, shared_file, tls, veth

_OWN: tuple[CheckKind[Any], ...] = (
    command.KIND,
    run.KIND,
    http.KIND,
    ping.KIND,
    dns.KIND,
    port.KIND,
    tls.KIND,
    mount.KIND,
    file.KIND,
    shared_file.KIND,
    veth.KIND,
    inspect.KIND,
)

KINDS: Registry[CheckKind[Any]] = Registry(
    "clusterlab.checks",
    CheckKind,  # type: ignore[type-abstract]  # only what is found is compared with it
    _OWN,
)
"""Every kind by name, those of other packages too."""
