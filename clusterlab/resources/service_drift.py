"""How a service of the Swarm, as the manager lists it, differs from the play."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .base import LABEL_PLAY, LABEL_SPEC, Difference
from .compare import differences, environment_differences, variables
from .labels import own_labels
from .observed import Json, labels_of
from .service_body import GRACE, WantedService, mounts_of, spread_of
from .service_deploy import differing
from .service_files import credential_spec, isolation, references
from .service_modes import mode_of, replicas_of

SPEC = {
    "Command": "entrypoint", "Args": "command", "User": "user", "Hostname": "hostname", "Dir": "working_dir",
    "ReadOnly": "read_only", "Init": "init", "Hosts": "extra_hosts", "StopSignal": "stop_signal",
    "StopGracePeriod": "stop_grace_period", "Healthcheck": "healthcheck", "Mounts": "volumes", "TTY": "tty",
    "OpenStdin": "stdin_open", "CapabilityAdd": "cap_add", "CapabilityDrop": "cap_drop", "Sysctls": "sysctls",
    "Ulimits": "ulimits", "DNSConfig": "dns", "Configs": "configs", "Secrets": "secrets", "Isolation": "isolation",
}  # fmt: skip
"""The API's names in a ContainerSpec, and the play's."""


@dataclass(frozen=True)
class FoundService:
    """A service as the manager lists it, and the names of the networks by their ids."""

    listed: Json
    networks: Mapping[str, str] = field(default_factory=dict)


def service_differences(wanted: WantedService, found: FoundService, image_id: str) -> list[Difference]:
    """Every option that the manager reports differently from what is wanted.

    The image's id may be empty, as unknown.
    """
    spec = found.listed["Spec"]
    template = spec["TaskTemplate"]
    container, placement = template["ContainerSpec"], template.get("Placement") or {}
    networks = {found.networks.get(one["Target"], one["Target"]): one for one in template.get("Networks") or []}
    labels, mode = labels_of(found.listed), {"Mode": wanted.mode}
    listed = [
        *differences("", _options(wanted.container), _options(container)),
        *environment_differences(wanted.environment, variables(container.get("Env"))),
        *differences(
            "networks",
            {name: ["connected", *sorted(one.aliases)] for name, one in wanted.networks.items()},
            {name: ["connected", *sorted(one.get("Aliases") or [])] for name, one in networks.items()},
        ),
        *differences(
            "",
            {
                "constraints": wanted.constraints,
                "preferences": wanted.preferences,
                "mode": mode_of(mode),
                "replicas": replicas_of(mode),
                "logging": wanted.logging,
            },
            {
                "constraints": placement.get("Constraints"),
                "preferences": spread_of(placement),
                "mode": mode_of(spec),
                "replicas": replicas_of(spec),
                "logging": template.get("LogDriver"),
            },
        ),
        *differences(
            "", {"ports": _ports(wanted.ports)}, {"ports": _ports((spec.get("EndpointSpec") or {}).get("Ports") or [])}
        ),
        *differing(wanted.deployed(spec), spec),
        *differences("labels", own_labels(wanted.labels), own_labels(labels)),
        *differences("", {"play": wanted.labels[LABEL_PLAY]}, {"play": labels.get(LABEL_PLAY)}),
    ]
    if image_id and container["Image"] != image_id:
        listed.append(Difference("image", image_id, container["Image"]))
    if not listed and labels.get(LABEL_SPEC) != wanted.labels[LABEL_SPEC]:
        listed.append(Difference("spec", wanted.labels[LABEL_SPEC], labels.get(LABEL_SPEC)))
    return listed


def _options(container: Mapping[str, Any]) -> dict[str, Any]:
    """A ContainerSpec under the play's names, without orders that mean nothing."""
    options = {name: container.get(key) for key, name in SPEC.items()}
    options["volumes"] = mounts_of(container)
    options["dns"], options["dns_search"] = ((options["dns"] or {}).get(key) for key in ("Nameservers", "Search"))
    options["ulimits"] = sorted(container.get("Ulimits") or [], key=lambda limit: str(limit.get("Name")))
    for name in ("cap_add", "cap_drop"):
        options[name] = sorted(options[name] or [])
    options["configs"], options["secrets"] = (references(container, kind) for kind in ("config", "secret"))
    options["isolation"], options["credential_spec"] = isolation(container), credential_spec(container)
    options["extra_hosts"] = sorted(container.get("Hosts") or [])
    options["healthcheck"] = {key: value for key, value in (container.get("Healthcheck") or {}).items() if value}
    if options["stop_grace_period"] == GRACE:
        options["stop_grace_period"] = None
    return options


def _ports(ports: list[dict[str, Any]]) -> list[str]:
    return sorted(
        f"{one.get('PublishedPort', '')}:{one['TargetPort']}/{one.get('Protocol', 'tcp')}{_mode(one)}" for one in ports
    )


def _mode(port: Mapping[str, Any]) -> str:
    return " on the nodes of tasks" if port.get("PublishMode") == "host" else ""
