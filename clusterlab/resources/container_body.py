"""A container as it should be.

What the engine's API is sent to create it, and the same as a command.

https://docs.docker.com/reference/api/engine/version/v1.44/#tag/Container/operation/ContainerCreate
"""

from __future__ import annotations

import math
import posixpath
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from clusterlab.model.playbook import Attachment, Command, Container, Healthcheck
from clusterlab.model.short_syntax import parse_mount, parse_port

from .compare import variables
from .engine_calls import flags, pairs
from .labels import labels_for
from .nano import milliseconds, nano


@dataclass(frozen=True)
class WantedContainer:
    """A container as it should be on its host.

    `config` is the body of the creation request; it names the first of `networks`, the others are connected
    before the start.
    """

    name: str
    image: str  # the tag that it is created from
    config: dict[str, Any] = field(repr=False)
    networks: dict[str, Attachment]

    @property
    def host_config(self) -> dict[str, Any]:
        return dict(self.config["HostConfig"])

    @property
    def labels(self) -> dict[str, str]:
        return dict(self.config["Labels"])

    @property
    def environment(self) -> dict[str, str]:
        """Its variables.

        Commands name them, and take their values from the shell's environment.
        """
        return variables(self.config.get("Env"))

    @property
    def commands(self) -> list[list[str]]:
        """The commands that create and start it."""
        later = list(self.networks)[1:]
        create = ["docker", "create"] if later else ["docker", "run", "--detach"]
        connect = [self.connect_command(name) for name in later]
        start = [["docker", "start", self.name]] if later else []
        return [[*create, *self._flags(), self.image, *self.arguments], *connect, *start]

    @property
    def published(self) -> list[str]:
        """Its published ports, as `docker run --publish` takes them."""
        return _published(self.host_config["PortBindings"] or {})

    @property
    def arguments(self) -> list[str]:
        """What follows the image on a command line."""
        return [*(self.config.get("Entrypoint") or [])[1:], *(self.config.get("Cmd") or [])]

    def connect_command(self, network: str) -> list[str]:
        """The command that connects it to a network."""
        attachment = self.networks.get(network, Attachment())
        return ["docker", "network", "connect", *_attachment_flags(attachment, "--alias"), network, self.name]

    def _flags(self) -> list[str]:
        config, host = self.config, self.host_config
        words = ["--name", self.name]
        for flag, value in (("--hostname", config.get("Hostname")), ("--user", config.get("User"))):
            words += [flag, value] if value else []
        words += ["--workdir", config["WorkingDir"]] if config.get("WorkingDir") else []
        words += flags("--env", list(self.environment))
        words += ["--entrypoint", config["Entrypoint"][0]] if config.get("Entrypoint") else []
        words += flags("--expose", [port.removesuffix("/tcp") for port in config.get("ExposedPorts") or {}])
        words += flags("--volume", [*(host["Binds"] or []), *(config.get("Volumes") or {})])
        words += flags("--volumes-from", host["VolumesFrom"] or [])
        words += flags("--tmpfs", [f"{path}:{o}" if o else path for path, o in (host["Tmpfs"] or {}).items()])
        words += flags("--publish", self.published)
        words += ["--network", host["NetworkMode"]]
        if self.networks:
            words += _attachment_flags(next(iter(self.networks.values())), "--network-alias")
        words += ["--read-only"] if host["ReadonlyRootfs"] else []
        words += ["--init"] if host["Init"] else []
        words += ["--restart", host["RestartPolicy"]["Name"]]
        words += flags("--cap-add", host["CapAdd"] or []) + flags("--cap-drop", host["CapDrop"] or [])
        words += flags("--add-host", host["ExtraHosts"] or [])
        words += ["--stop-signal", config["StopSignal"]] if config.get("StopSignal") else []
        words += ["--stop-timeout", str(config["StopTimeout"])]
        words += health_flags(config.get("Healthcheck"))
        return [*words, *pairs("--label", self.labels)]


def wanted_container(lab: str, play: str, name: str, container: Container, image: str) -> WantedContainer:
    """What a play's container means.

    `image` is the tag by which its image is known on the host.
    """
    networks = {key: value or Attachment() for key, value in container.networks.items()}
    config: dict[str, Any] = {
        "Image": image,
        "Cmd": words(container.command),
        "Entrypoint": words(container.entrypoint),
        "Env": [f"{key}={value}" for key, value in container.environment.items()],
        "User": "" if container.user is None else str(container.user),
        "WorkingDir": container.working_dir or "",
        "Hostname": container.hostname or "",
        "StopSignal": container.stop_signal or "",
        "StopTimeout": math.ceil(container.stop_grace_period),
        "ExposedPorts": {_port(port): {} for port in [*container.expose, *container.ports]},
        "Volumes": {one.target: {} for one in map(parse_mount, container.volumes) if one.type == "anonymous"},
        "Healthcheck": healthcheck(container.healthcheck),
        "HostConfig": _host_config(container, list(networks)),
    }
    config = {key: value for key, value in config.items() if value not in (None, "", [], {})}
    if networks:
        first = next(iter(networks))
        config["NetworkingConfig"] = {"EndpointsConfig": {first: endpoint(networks[first])}}
    rest = {key: endpoint(value) for key, value in networks.items()}
    config["Labels"] = labels_for(lab, play, [config, rest, container.labels], container.labels)
    return WantedContainer(name, image, config, networks)


def words(command: Command | None) -> list[str] | None:
    """A command as a list; a string is split as a shell would."""
    return shlex.split(command) if isinstance(command, str) else command


def endpoint(attachment: Attachment) -> dict[str, Any]:
    """How the API says what a container is on one network."""
    ipam = {"IPv4Address": attachment.ipv4_address} if attachment.ipv4_address else {}
    return {"Aliases": list(attachment.aliases), "IPAMConfig": ipam}


def bind(text: str) -> str:
    """A mount of a volume or a folder as the engine writes it.

    Source:target, with :ro where it is read only.
    """
    mount = parse_mount(text)
    source = posixpath.normpath(mount.source) if mount.type == "bind" else mount.source
    return f"{source}:{posixpath.normpath(mount.target)}" + (":ro" if mount.read_only else "")


def _host_config(container: Container, networks: Sequence[str]) -> dict[str, Any]:
    mode = container.network_mode or (networks[0] if networks else "bridge")
    binds = [bind(text) for text in container.volumes if parse_mount(text).type != "anonymous"]
    bindings: dict[str, list[dict[str, str]]] = {}
    for port in map(parse_port, container.ports):
        where = {"HostIp": port.address or "", "HostPort": str(port.host_port or "")}
        bindings.setdefault(f"{port.port}/{port.protocol}", []).append(where)
    return {
        "NetworkMode": mode,
        "Binds": binds,
        "VolumesFrom": list(container.volumes_from),
        "Tmpfs": {path: options for path, _, options in (one.partition(":") for one in container.tmpfs)},
        "PortBindings": bindings,
        "ReadonlyRootfs": container.read_only,
        "Init": container.init or None,
        "RestartPolicy": {"Name": container.restart, "MaximumRetryCount": 0},
        "CapAdd": list(container.cap_add),
        "CapDrop": list(container.cap_drop),
        "ExtraHosts": [f"{host}:{address}" for host, address in container.extra_hosts.items()],
    }


def _port(text: str | int) -> str:
    port = parse_port(text)
    return f"{port.port}/{port.protocol}"


def _published(bindings: dict[str, list[dict[str, str]]]) -> list[str]:
    """Port bindings as `docker run --publish` takes them."""
    return [
        ":".join(filter(None, (where["HostIp"], where["HostPort"], port)))
        for port, places in bindings.items()
        for where in places
    ]


def healthcheck(check: Healthcheck | None) -> dict[str, Any] | None:
    """How the API says what a health check is."""
    if check is None:
        return None
    return {
        "Test": check.test if isinstance(check.test, list) else ["CMD-SHELL", check.test],
        "Interval": nano(check.interval),
        "Timeout": nano(check.timeout),
        "Retries": check.retries,
        "StartPeriod": nano(check.start_period),
    }


def health_flags(check: dict[str, Any] | None) -> list[str]:
    """How commands say it."""
    if check is None:
        return []
    kind, *command = check["Test"]
    if kind == "NONE":
        return ["--no-healthcheck"]
    text = command[0] if kind == "CMD-SHELL" else shlex.join(command)
    times = [
        word
        for flag, key in (
            ("--health-interval", "Interval"),
            ("--health-timeout", "Timeout"),
            ("--health-start-period", "StartPeriod"),
        )
        for word in (flag, milliseconds(check[key]))
    ]
    return ["--health-cmd", text, *times, "--health-retries", str(check["Retries"])]


def _attachment_flags(attachment: Attachment, alias: str) -> list[str]:
    ip = ["--ip", attachment.ipv4_address] if attachment.ipv4_address else []
    return [*flags(alias, attachment.aliases), *ip]
