"""The kinds of checks, each a module of its own."""

from __future__ import annotations

from typing import Any

from clusterlab.checks.kind import CheckKind
from clusterlab.registry import Registry

from . import (
    announce,
    bind_source,
    command,
    dns,
    file,
    http,
    inspect,
    mesh,
    mount,
    ping,
    port,
    published,
    registry,
    run,
    service_apart,
    service_names,
    service_reach,
    service_spec,
    shared_file,
    task_file,
    task_mount,
    tasks,
    tls,
    veth,
)

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
    mesh.KIND,
    announce.KIND,
    veth.KIND,
    inspect.KIND,
    tasks.KIND,
    service_spec.KIND,
    published.KIND,
    registry.KIND,
    service_names.KIND,
    service_reach.KIND,
    service_apart.KIND,
    task_mount.KIND,
    bind_source.KIND,
    task_file.KIND,
)

KINDS: Registry[CheckKind[Any]] = Registry(
    "clusterlab.checks",
    CheckKind,  # type: ignore[type-abstract]  # only what is found is compared with it
    _OWN,
)
"""Every kind by name, those of other packages too."""
