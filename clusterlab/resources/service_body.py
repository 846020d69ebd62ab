"""A Swarm service as it should be.

What the engine's API is sent, and the same as a command.

https://docs.docker.com/reference/api/engine/version/v1.44/#tag/Service/operation/ServiceCreate
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from clusterlab.model.playbook import Attachment, Service
from clusterlab.model.short_syntax import parse_mount, parse_port

from . import service_deploy
from .base import LABEL_LAB, LABEL_SPEC
from .compare import variables
from .container_body import health_flags, healthcheck, words
from .engine_calls import flags, pairs
from .labels import labels_for
from .nano import SECOND, milliseconds, nano
from .ownership import OWNER_LABELS
from .service_deploy import Deployed, defaults, given, put

GRACE = 10 * SECOND
"""The engine's own StopGracePeriod."""
_TEXTS = {
    "--user": "User", "--hostname": "Hostname", "--workdir": "Dir", "--stop-signal": "StopSignal",
}  # fmt: skip
"""Options of a text each, and the API's names in a ContainerSpec."""
_NO_HEALTH = ["--health-cmd", "", "--health-retries", "0"]
_NO_HEALTH += [word for time in ("interval", "timeout", "start-period") for word in (f"--health-{time}", "0s")]


@dataclass(frozen=True)
class WantedService:
    """A service as it should be.

    Its image is named by id, so that no node asks a registry for it.
    """

    name: str
    image: str  # the tag by which its id is found
    container: dict[str, Any] = field(repr=False)  # TaskTemplate.ContainerSpec, without the image
    networks: dict[str, Attachment]
    constraints: list[str]
    mode: dict[str, Any]
    ports: list[dict[str, Any]]
    labels: dict[str, str]
    deploy: Deployed = field(default_factory=dict)

    def spec(self, image_id: str) -> dict[str, Any]:
        """What creates it: all but its name, mode and labels."""
        spec = {"TaskTemplate": self.template(image_id), "EndpointSpec": {"Ports": self.ports} if self.ports else {}}
        put(self.deploy, spec)
        return spec

    def template(self, image_id: str) -> dict[str, Any]:
        """The TaskTemplate, without the options of `deploy`."""
        template: dict[str, Any] = {"ContainerSpec": {"Image": image_id, **self.container}}
        if self.constraints:
            template["Placement"] = {"Constraints": self.constraints}
        if self.networks:
            template["Networks"] = [
                {"Target": name, **({"Aliases": list(one.aliases)} if one.aliases else {})}
                for name, one in self.networks.items()
            ]
        return template

    def deployed(self, spec: Mapping[str, Any]) -> Deployed:
        """The options of `deploy` that a service with `spec` should have.

        Of those that the play leaves out, an earlier state of the play may have given some: they get the engine's
        default. Where the service has the play's present state, others set them.
        """
        present = (spec.get("Labels") or {}).get(LABEL_SPEC) == self.labels[LABEL_SPEC]
        return self.deploy if present else {**defaults(spec), **self.deploy}

    @property
    def environment(self) -> dict[str, str]:
        """Its tasks' variables.

        Commands name them, and take their values from the shell's environment.
        """
        return variables(self.container.get("Env"))

    def command(self, image_id: str) -> list[str]:
        """What creates it; `image_id` may be empty when it is not known yet."""
        spec = self.container
        command = ["docker", "service", "create", "--name", self.name, "--no-resolve-image"]
        replicated = self.mode.get("Replicated")
        command += ["--replicas", str(replicated["Replicas"])] if replicated else ["--mode", "global"]
        command += flags("--constraint", self.constraints)
        command += service_deploy.flags(self.deploy, {})
        command += flags("--env", list(self.environment))
        command += flags("--mount", [_mount_text(one) for one in spec.get("Mounts") or []])
        command += flags("--publish", [_port_text(one) for one in self.ports])
        for name, one in self.networks.items():
            command += ["--network", _network_text(name, one)]
        for flag, key in _TEXTS.items():
            command += [flag, spec[key]] if spec.get(key) else []
        command += ["--read-only"] if spec.get("ReadOnly") else []
        command += ["--init"] if spec.get("Init") else []
        command += flags("--host", [_host_text(one) for one in spec.get("Hosts") or []])
        command += ["--stop-grace-period", milliseconds(spec["StopGracePeriod"])] if "StopGracePeriod" in spec else []
        command += health_flags(spec.get("Healthcheck"))
        command += ["--entrypoint", shlex.join(spec["Command"])] if spec.get("Command") else []
        command += pairs("--label", self.labels) + pairs("--container-label", spec["Labels"])
        return [*command, image_id or self.image, *(spec.get("Args") or [])]


def update_command(
    wanted: WantedService, spec: Mapping[str, Any], networks: Mapping[str, str], image_id: str
) -> list[str]:
    """What changes a service with `spec` to the wanted one, and nothing else.

    `networks` are names by id.

    Values of variables come from the shell's environment. Of the options with -add and -rm, -add replaces what has the
    same name. `image_id` may be empty when it is not known yet: the image's tag stands for it.
    """
    template = spec["TaskTemplate"]
    found, container = template["ContainerSpec"], wanted.container
    command = ["docker", "service", "update", "--no-resolve-image"]
    replicas = wanted.mode.get("Replicated")
    if replicas and replicas != spec["Mode"].get("Replicated"):
        command += ["--replicas", str(replicas["Replicas"])]
    image = image_id or wanted.image
    command += ["--image", image] if image != found["Image"] else []
    for flag, key in _TEXTS.items():
        command += [flag, container.get(key) or ""] if (container.get(key) or "") != (found.get(key) or "") else []
    for flag, key in (("--read-only", "ReadOnly"), ("--init", "Init")):
        if bool(container.get(key)) != bool(found.get(key)):
            command.append(f"{flag}={str(bool(container.get(key))).lower()}")
    hosts, has_hosts = ([_host_text(one) for one in each.get("Hosts") or []] for each in (container, found))
    command += flags("--host-rm", [one for one in has_hosts if one not in hosts])
    command += flags("--host-add", [one for one in hosts if one not in has_hosts])
    if (grace := container.get("StopGracePeriod", GRACE)) != found.get("StopGracePeriod", GRACE):
        command += ["--stop-grace-period", milliseconds(grace)]
    if _given(container.get("Healthcheck")) != _given(found.get("Healthcheck")):
        command += health_flags(container.get("Healthcheck")) or _NO_HEALTH
    for flag, key in (("--entrypoint", "Command"), ("--args", "Args")):
        if (container.get(key) or []) != (found.get(key) or []):
            command += [flag, shlex.join(container.get(key) or [])]
    env, has_env = wanted.environment, variables(found.get("Env"))
    command += flags("--env-rm", [name for name in has_env if name not in env])
    command += flags("--env-add", [name for name, value in env.items() if value != has_env.get(name)])
    mounts, has_mounts = ({one["Target"]: one for one in each.get("Mounts") or []} for each in (container, found))
    command += _edited("--mount", mounts, has_mounts, _mount_text)
    constraints = dict.fromkeys(wanted.constraints, "")
    has_constraints = dict.fromkeys((template.get("Placement") or {}).get("Constraints") or [], "")
    command += flags("--constraint-rm", [one for one in has_constraints if one not in constraints])
    command += flags("--constraint-add", [one for one in constraints if one not in has_constraints])
    command += service_deploy.flags(wanted.deployed(spec), spec)
    command += _networks_edited(wanted, template, networks)
    ports = {f"{one['TargetPort']}/{one['Protocol']}": one for one in wanted.ports}
    has_ports = {
        f"{one['TargetPort']}/{one.get('Protocol', 'tcp')}": {key: value for key, value in one.items() if value}
        for one in (spec.get("EndpointSpec") or {}).get("Ports") or []
    }
    command += flags("--publish-rm", [one for one, port in has_ports.items() if port != ports.get(one)])
    command += flags("--publish-add", [_port_text(port) for one, port in ports.items() if port != has_ports.get(one)])
    labels = {key: f"{key}={value}" for key, value in wanted.labels.items()}
    has_labels = {key: f"{key}={value}" for key, value in (spec.get("Labels") or {}).items() if key not in OWNER_LABELS}
    command += _edited("--label", labels, has_labels)
    own = {key: f"{key}={value}" for key, value in container["Labels"].items()}
    command += _edited("--container-label", own, {k: f"{k}={v}" for k, v in (found.get("Labels") or {}).items()})
    return [*command, wanted.name]


def _edited(
    flag: str, wanted: Mapping[str, Any], found: Mapping[str, Any], text: Callable[[Any], str] = str
) -> list[str]:
    """`flag`-rm and `flag`-add for what differs, by the name of each item."""
    return [
        *flags(f"{flag}-rm", [name for name in found if name not in wanted]),
        *flags(f"{flag}-add", [text(one) for name, one in wanted.items() if one != found.get(name)]),
    ]


def _networks_edited(wanted: WantedService, template: Mapping[str, Any], networks: Mapping[str, str]) -> list[str]:
    """A network with other aliases is left and joined again."""
    found = {
        networks.get(one["Target"], one["Target"]): sorted(one.get("Aliases") or [])
        for one in template.get("Networks") or []
    }
    wants = {name: sorted(one.aliases) for name, one in wanted.networks.items()}
    return [
        *flags("--network-rm", [name for name, aliases in found.items() if wants.get(name) != aliases]),
        *flags(
            "--network-add",
            [
                _network_text(name, wanted.networks[name])
                for name, aliases in wants.items()
                if found.get(name) != aliases
            ],
        ),
    ]


def _given(values: Mapping[str, Any] | None) -> dict[str, Any]:
    return {key: value for key, value in (values or {}).items() if value}


def _host_text(entry: str) -> str:
    """An entry of /etc/hosts, "address name", as commands have it."""
    address, _, name = entry.partition(" ")
    return f"{name}:{address}"


def _network_text(name: str, attachment: Attachment) -> str:
    return ",".join([f"name={name}", *(f"alias={alias}" for alias in attachment.aliases)])


def wanted_service(lab: str, play: str, name: str, service: Service, image: str) -> WantedService:
    """What a play's service means.

    `image` is the tag by which its image is known on the manager.
    """
    container: dict[str, Any] = {
        "Command": words(service.entrypoint),
        "Args": words(service.command),
        "Env": [f"{key}={value}" for key, value in service.environment.items()],
        "User": "" if service.user is None else str(service.user),
        "Hostname": service.hostname or "",
        "Dir": service.working_dir or "",
        "ReadOnly": service.read_only,
        "Init": service.init,
        "Hosts": [f"{address} {name}" for name, address in service.extra_hosts.items()],
        "StopSignal": service.stop_signal or "",
        "Healthcheck": healthcheck(service.healthcheck),
        "Mounts": [_mount(text) for text in service.volumes],
    }
    container = {key: value for key, value in container.items() if value}
    if service.stop_grace_period is not None:
        container["StopGracePeriod"] = nano(service.stop_grace_period)
    networks = {key: value or Attachment() for key, value in service.networks.items()}
    constraints = list(service.deploy.placement.constraints)
    is_global = service.deploy.mode == "global"
    mode: dict[str, Any] = {"Global": {}} if is_global else {"Replicated": {"Replicas": service.deploy.replicas}}
    ports = [_published(text) for text in service.ports]
    attached = {key: one.model_dump() for key, one in networks.items()}
    deploy = given(service.deploy)
    options = [sorted(["/".join(path), value] for path, value in deploy.items())] if deploy else []
    labels = labels_for(
        lab, play, [image, container, attached, constraints, mode, ports, service.labels, *options], service.labels
    )
    container["Labels"] = {LABEL_LAB: lab}  # tasks are then known as ours on every node
    return WantedService(name, image, container, networks, constraints, mode, ports, labels, deploy)


def _mount(text: str) -> dict[str, Any]:
    mount = parse_mount(text)
    kind = "bind" if mount.type == "bind" else "volume"
    whole = {"Type": kind, "Source": mount.source, "Target": mount.target, "ReadOnly": mount.read_only}
    return {key: value for key, value in whole.items() if value}


def _mount_text(mount: dict[str, Any]) -> str:
    names = {"Type": "type", "Source": "source", "Target": "target"}
    parts = [f"{name}={mount[key]}" for key, name in names.items() if key in mount]
    return ",".join([*parts, *(["readonly"] if mount.get("ReadOnly") else [])])


def _published(text: str | int) -> dict[str, Any]:
    port = parse_port(text)
    published = {"PublishedPort": port.host_port} if port.host_port else {}
    return {"Protocol": port.protocol, "TargetPort": port.port, "PublishMode": "ingress", **published}


def _port_text(port: dict[str, Any]) -> str:
    names = {"PublishedPort": "published", "TargetPort": "target", "Protocol": "protocol", "PublishMode": "mode"}
    return ",".join(f"{name}={port[key]}" for key, name in names.items() if key in port)
