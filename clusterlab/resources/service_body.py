"""A Swarm service as it should be.

What the engine's API is sent, and the same as a command.

https://docs.docker.com/reference/api/engine/version/v1.44/#tag/Service/operation/ServiceCreate
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from clusterlab.model.playbook import Attachment, Service

from . import service_deploy, service_files, service_limits
from .base import LABEL_LAB, LABEL_SPEC
from .compare import variables
from .container_body import health_flags, healthcheck
from .engine_calls import flags, pairs
from .labels import labels_for
from .nano import SECOND, milliseconds
from .ownership import OWNER_LABELS
from .service_deploy import Deployed, defaults, given, put
from .service_modes import is_job, mode_of, replicas_of
from .service_of_play import spec_of

GRACE = 10 * SECOND
"""The engine's own StopGracePeriod."""
_TEXTS = {
    "--user": "User", "--hostname": "Hostname", "--workdir": "Dir", "--stop-signal": "StopSignal",
}  # fmt: skip
"""Options of a text each, and the API's names in a ContainerSpec."""
_MOUNT_OPTIONS = {"bind-propagation": ("BindOptions", "Propagation"), "tmpfs-size": ("TmpfsOptions", "SizeBytes")}
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
    # and with names for the ids of configs and secrets
    networks: dict[str, Attachment]
    constraints: list[str]
    preferences: list[str]  # what tasks are spread over, in this order
    mode: dict[str, Any]
    ports: list[dict[str, Any]]
    labels: dict[str, str]
    logging: dict[str, Any] = field(default_factory=dict)  # TaskTemplate.LogDriver
    deploy: Deployed = field(default_factory=dict)

    def spec(self, image_id: str) -> dict[str, Any]:
        """What creates it: all but its name, mode and labels."""
        spec = {"TaskTemplate": self.template(image_id), "EndpointSpec": {"Ports": self.ports} if self.ports else {}}
        put(self.deploy, spec)
        return spec

    def template(self, image_id: str) -> dict[str, Any]:
        """The TaskTemplate, without the options of `deploy`."""
        template: dict[str, Any] = {"ContainerSpec": {"Image": image_id, **self.container}}
        template["Placement"] = self.placement  # also an empty one: without it, commands that change it crash
        if self.logging:
            template["LogDriver"] = self.logging
        if self.networks:
            template["Networks"] = [
                {"Target": name, **({"Aliases": list(one.aliases)} if one.aliases else {})}
                for name, one in self.networks.items()
            ]
        return template

    @property
    def placement(self) -> dict[str, Any]:
        """Where tasks run, without the options of `deploy`."""
        spread = [{"Spread": {"SpreadDescriptor": one}} for one in self.preferences]
        whole = {"Constraints": self.constraints, "Preferences": spread}
        return {key: value for key, value in whole.items() if value}

    @property
    def is_job(self) -> bool:
        """Whether its tasks run until they have completed."""
        return is_job({"Mode": self.mode})

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
        """What creates it; `image_id` may be empty when it is not known yet.

        Nothing where commands have no option for what it has.
        """
        spec = self.container
        if spec.get("OpenStdin"):
            return []
        command = ["docker", "service", "create", "--name", self.name, "--no-resolve-image"]
        mode, replicas = mode_of({"Mode": self.mode}), replicas_of({"Mode": self.mode})
        command += ["--mode", mode] if mode != "replicated" else []
        command += ["--replicas", str(replicas)] if replicas is not None else []
        command += flags("--constraint", self.constraints)
        command += flags("--placement-pref", [f"spread={one}" for one in self.preferences])
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
        command += service_limits.create_flags(spec) + service_limits.logging_flags(self.logging)
        command += service_files.create_flags(spec)
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
    same name. `image_id` may be empty when it is not known yet: the image's tag stands for it. Nothing where commands
    have no option for what differs.
    """
    template = spec["TaskTemplate"]
    found, container = template["ContainerSpec"], wanted.container
    has_logging = template.get("LogDriver") or {}
    ports = _ports_edited(wanted.ports, (spec.get("EndpointSpec") or {}).get("Ports") or [])
    if not service_limits.can_be_typed(container, found) or (has_logging and not wanted.logging) or ports is None:
        return []
    replicas = replicas_of({"Mode": wanted.mode})
    scaled = replicas is not None and replicas != replicas_of(spec)
    if scaled and wanted.is_job:  # refused: updateReplicas in cli/command/service/update.go of docker/cli
        return []
    command = ["docker", "service", "update", "--no-resolve-image"]
    command += ["--replicas", str(replicas)] if scaled else []
    image = image_id or wanted.image
    command += ["--image", image] if image != found["Image"] else []
    for flag, key in _TEXTS.items():
        command += [flag, container.get(key) or ""] if (container.get(key) or "") != (found.get(key) or "") else []
    for flag, key in (("--read-only", "ReadOnly"), ("--init", "Init")):
        if bool(container.get(key)) != bool(found.get(key)):
            command.append(f"{flag}={str(bool(container.get(key))).lower()}")
    command += service_limits.update_flags(container, found) + service_files.update_flags(container, found)
    command += service_limits.logging_flags(wanted.logging) if wanted.logging != has_logging else []
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
    mounts, has_mounts = ({one["Target"]: one for one in mounts_of(each)} for each in (container, found))
    command += _edited("--mount", mounts, has_mounts, _mount_text)
    placement = template.get("Placement") or {}
    constraints = dict.fromkeys(wanted.constraints, "")
    has_constraints = dict.fromkeys(placement.get("Constraints") or [], "")
    if wanted.preferences != (spread := spread_of(placement)):
        command += flags("--placement-pref-rm", [f"spread={one}" for one in spread])
        command += flags("--placement-pref-add", [f"spread={one}" for one in wanted.preferences])
    command += flags("--constraint-rm", [one for one in has_constraints if one not in constraints])
    command += flags("--constraint-add", [one for one in constraints if one not in has_constraints])
    command += service_deploy.flags(wanted.deployed(spec), spec)
    command += _networks_edited(wanted, template, networks)
    command += ports
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


def _ports_edited(wanted: Sequence[Mapping[str, Any]], found: Sequence[Mapping[str, Any]]) -> list[str] | None:
    """Options that change what is published; None where there are none.

    What is removed is all that is published of a port and mode, and what was published before is not added again.
    Source: updatePorts in cli/command/service/update.go of docker/cli.
    """
    ports, has = _by_target(wanted), _by_target(found)
    gone = {target: [one for one in texts if one not in ports.get(target, [])] for target, texts in has.items()}
    if any(texts and texts != has[target] for target, texts in gone.items()):
        return None
    added = [one for target, texts in ports.items() for one in texts if one not in has.get(target, [])]
    return [*flags("--publish-rm", [target for target, texts in gone.items() if texts]), *flags("--publish-add", added)]


def _by_target(ports: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Ports as commands add them, by what removes them: the short form removes ports of mode ingress alone."""
    found: dict[str, list[str]] = {}
    for one in ports:
        target, protocol = one["TargetPort"], one.get("Protocol", "tcp")
        host = one.get("PublishMode") == "host"
        removed = f"target={target},protocol={protocol},mode=host" if host else f"{target}/{protocol}"
        found.setdefault(removed, []).append(_port_text(one))
    return found


def mounts_of(container: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The mounts of a ContainerSpec by their targets, without options that are empty.

    Docker's client sends an empty driver with other options of a volume: opts/mount.go of docker/cli.
    """
    mounts = (
        _given({key: _given(value) if isinstance(value, dict) else value for key, value in mount.items()})
        for mount in container.get("Mounts") or []
    )
    return sorted(mounts, key=lambda mount: str(mount.get("Target")))


def _given(values: Mapping[str, Any] | None) -> dict[str, Any]:
    return {key: value for key, value in (values or {}).items() if value}


def _host_text(entry: str) -> str:
    """An entry of /etc/hosts, "address name", as commands have it."""
    address, _, name = entry.partition(" ")
    return f"{name}:{address}"


def _network_text(name: str, attachment: Attachment) -> str:
    return ",".join([f"name={name}", *(f"alias={alias}" for alias in attachment.aliases)])


def spread_of(placement: Mapping[str, Any]) -> list[str]:
    """What a Placement of the API spreads tasks over."""
    return [one["Spread"]["SpreadDescriptor"] for one in placement.get("Preferences") or [] if one.get("Spread")]


def wanted_service(lab: str, play: str, name: str, service: Service, image: str) -> WantedService:
    """What a play's service means.

    `image` is the tag by which its image is known on the manager.
    """
    spec = spec_of(name, service)
    task = spec["TaskTemplate"]
    container: dict[str, Any] = task["ContainerSpec"]
    if service.healthcheck is not None:
        container["Healthcheck"] = healthcheck(service.healthcheck)
    networks = {key: value or Attachment() for key, value in service.networks.items()}
    constraints = list(service.deploy.placement.constraints)
    preferences = [one.spread for one in service.deploy.placement.preferences]
    ports: list[dict[str, Any]] = (spec.get("EndpointSpec") or {}).get("Ports", [])
    attached = {key: one.model_dump() for key, one in networks.items()}
    deploy = given(service.deploy)
    options: list[Any] = [sorted(["/".join(path), value] for path, value in deploy.items())] if deploy else []
    options += [one for one in (preferences, task.get("LogDriver")) if one]
    own = {**service.labels, **service.deploy.labels}
    labels = labels_for(lab, play, [image, container, attached, constraints, spec["Mode"], ports, own, *options], own)
    container["Labels"] = {LABEL_LAB: lab}  # tasks are then known as ours on every node
    return WantedService(
        name, image, container, networks, constraints, preferences, spec["Mode"], ports, labels,
        task.get("LogDriver", {}), deploy,
    )  # fmt: skip


def _mount_text(mount: dict[str, Any]) -> str:
    names = {"Type": "type", "Source": "source", "Target": "target"}
    parts = [f"{name}={mount[key]}" for key, name in names.items() if key in mount]
    parts += ["readonly"] if mount.get("ReadOnly") else []
    parts += ["volume-nocopy=true"] if (mount.get("VolumeOptions") or {}).get("NoCopy") else []
    for option, (of, key) in _MOUNT_OPTIONS.items():
        parts += [f"{option}={mount[of][key]}"] if (mount.get(of) or {}).get(key) else []
    return ",".join(parts)


def _port_text(port: Mapping[str, Any]) -> str:
    names = {"PublishedPort": "published", "TargetPort": "target", "Protocol": "protocol", "PublishMode": "mode"}
    return ",".join(f"{name}={port[key]}" for key, name in names.items() if port.get(key))
