"""Settings of the Swarm as a whole: given when it is initialised.

Some of them can be changed later.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any, NamedTuple

from clusterlab.model.swarm import Swarm as Settings
from clusterlab.remote import Host
from clusterlab.remote.engine_errors import engine_errors

from .base import LABEL_LAB, Difference
from .nano import SECOND, nano
from .ownership import with_owner


class _Setting(NamedTuple):
    """A setting as the inventory, the command line and the engine's report call it."""

    name: str
    option: str
    wanted: object
    found: object


def init_options(settings: Settings, lab: str) -> dict[str, Any]:
    """What the engine is given to initialise a Swarm for a lab."""
    spec: dict[str, Any] = {"Labels": with_owner({LABEL_LAB: lab}), **_spec(settings, {})}
    options: dict[str, Any] = {"swarm_spec": spec, "data_path_port": settings.data_path_port}
    if settings.default_addr_pool:
        options |= {"default_addr_pool": [str(pool) for pool in settings.default_addr_pool]}
        options |= {"subnet_size": settings.subnet_size or 24}
    return options


def typed(settings: Settings) -> str:
    """The same as options of `docker swarm init`, each behind a space."""
    pools = "".join(f" --default-addr-pool {pool}" for pool in settings.default_addr_pool)
    size = f" --default-addr-pool-mask-length {settings.subnet_size}" if settings.subnet_size else ""
    port = f" --data-path-port {settings.data_path_port}" if settings.data_path_port else ""
    return pools + size + port + _typed(_changeable(settings, {}))


def update_command(settings: Settings, cluster: Mapping[str, Any]) -> str:
    """What a person types to change the settings of a Swarm that can be changed."""
    return "docker swarm update" + _typed([one for one in _changeable(settings, cluster) if one.wanted != one.found])


def differences(settings: Settings, cluster: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Settings that can be changed and are not as wanted.

    `cluster` is what a manager's engine reports of its Swarm.
    """
    return tuple(
        Difference(one.name, one.wanted, one.found) for one in _changeable(settings, cluster) if one.wanted != one.found
    )


def fixed_differences(settings: Settings, cluster: Mapping[str, Any]) -> list[Difference]:
    """Settings that are not as wanted, and that only a new Swarm would have."""
    pools = [str(pool) for pool in settings.default_addr_pool]
    pairs = (
        ("default_addr_pool", pools or None, cluster.get("DefaultAddrPool") or []),
        ("subnet_size", settings.subnet_size, cluster.get("SubnetSize")),
        ("data_path_port", settings.data_path_port, cluster.get("DataPathPort")),
    )
    return [Difference(name, wanted, found) for name, wanted, found in pairs if wanted is not None and wanted != found]


def update(manager: Host, settings: Settings) -> None:
    """Change those settings of a Swarm that can be changed, and keep all others."""
    with engine_errors(manager, "update the Swarm"):
        now = manager.docker.inspect_swarm()
        spec = {**now["Spec"], **_spec(settings, now["Spec"])}
        manager.docker.update_swarm(now["Version"]["Index"], swarm_spec=spec)


def _spec(settings: Settings, before: Mapping[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = {}
    if settings.cert_expiry is not None:
        expiry = {"NodeCertExpiry": nano(settings.cert_expiry)}
        spec["CAConfig"] = {**(before.get("CAConfig") or {}), **expiry}
    if settings.task_history is not None:
        kept = {"TaskHistoryRetentionLimit": settings.task_history}
        spec["Orchestration"] = {**(before.get("Orchestration") or {}), **kept}
    return spec


def _changeable(settings: Settings, cluster: Mapping[str, Any]) -> list[_Setting]:
    spec = cluster.get("Spec") or {}
    expiry = (spec.get("CAConfig") or {}).get("NodeCertExpiry")
    kept = (spec.get("Orchestration") or {}).get("TaskHistoryRetentionLimit")
    found = []
    if settings.cert_expiry is not None:
        seen = _hours(expiry / SECOND) if expiry else None
        found.append(_Setting("cert_expiry", "cert-expiry", _hours(settings.cert_expiry), seen))
    if settings.task_history is not None:
        found.append(_Setting("task_history", "task-history-limit", settings.task_history, kept))
    return found


def _typed(settings: list[_Setting]) -> str:
    return "".join(f" --{one.option} {shlex.quote(str(one.wanted))}" for one in settings)


def _hours(seconds: float) -> str:
    """A time as `docker swarm update` reads it."""
    whole = int(seconds)
    hours, rest = divmod(whole, 3600)
    return f"{hours}h" if rest == 0 else f"{whole}s"
