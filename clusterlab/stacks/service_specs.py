"""The ServiceSpec of Docker's API for a service of a stack.

Source: service.go and volume.go of docker/cli's converter. Durations are in nanoseconds; what is empty is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from clusterlab.docker_labels import STACK

from .given import Given
from .images import parse_image
from .stack import (
    CredentialSpec,
    FileObject,
    FileReference,
    Healthcheck,
    Labels,
    Mount,
    Port,
    Resources,
    RestartPolicy,
    Service,
    Stack,
    Ulimit,
    Update,
)

Spec = dict[str, Any]
Ids = Callable[[str, str], str]
"""The ID of a config or secret by its kind ("config", "secret") and its name on the engine."""

IMAGE = "com.docker.stack.image"
_BUILT_IN = ("default", "bridge", "host", "none")
_ALL = "ALL"
_MODE = 0o444


def service_spec(stack: Stack, service: Service, ids: Ids) -> Spec:
    """The spec of one service, without its name."""
    deploy = service.deploy
    image = value(service.image) or ""
    spec: Spec = pruned(
        {
            "Labels": plain(deploy.labels, {STACK: stack.name, IMAGE: image}),
            "Mode": _mode(service),
            "TaskTemplate": {
                "ContainerSpec": _container(stack, service, ids),
                "LogDriver": service.logging
                and {"Name": value(service.logging.driver), "Options": plain(service.logging.options or {})},
                "Resources": {"Limits": _resources(deploy.limits), "Reservations": _resources(deploy.reservations)},
                "RestartPolicy": _restart(service),
                "Placement": {
                    "Constraints": listed(deploy.constraints),
                    "Preferences": [{"Spread": {"SpreadDescriptor": one.value}} for one in deploy.preferences],
                    "MaxReplicas": value(deploy.max_replicas_per_node) or None,
                },
                "Networks": _networks(stack, service),
            },
            "EndpointSpec": {
                "Mode": (value(deploy.endpoint_mode) or "").lower(),
                "Ports": [_port(port) for port in sorted(service.ports, key=lambda port: port.published)],
            },
            "UpdateConfig": _update(deploy.update_config),
            "RollbackConfig": _update(deploy.rollback_config),
        }
    )
    return spec


def value(given: Given[Any] | None) -> Any:
    return None if given is None else given.value


def listed(given: Iterable[Given[str]] | None) -> list[str]:
    return [one.value for one in given or ()]


class Texts(dict[str, str]):
    """A mapping whose keys are people's own, such as labels and options: a value that is empty says something."""


def plain(labels: Labels, more: Mapping[str, str] = MappingProxyType({})) -> Texts:
    """The values alone, and those of `more`."""
    return Texts({**{key: given.value for key, given in sorted(labels.items())}, **more})


def pruned(spec: Any) -> Any:
    """A spec without what is empty.

    What must stay although it is empty stands in a Kept, or is a value of Texts.
    """
    if isinstance(spec, Kept):
        return spec.spec
    if isinstance(spec, Texts):
        return dict(spec)
    if isinstance(spec, dict):
        inner = {key: pruned(one) for key, one in spec.items()}
        return {key: one for key, one in inner.items() if isinstance(spec[key], Kept) or not _is_empty(one)}
    if isinstance(spec, list):
        return [pruned(one) for one in spec]
    return spec


def _is_empty(spec: Any) -> bool:
    return spec is None or spec is False or spec in ("", [], {})


class Kept:
    """A part of a spec whose presence says something, such as {"Global": {}}."""

    def __init__(self, spec: Any) -> None:
        self.spec = pruned(spec)


def _mode(service: Service) -> Spec:
    replicas = value(service.deploy.replicas)
    match service.mode:
        case "global":
            return {"Global": Kept({})}
        case "global-job":
            return {"GlobalJob": Kept({})}
        case "replicated-job":
            return {"ReplicatedJob": Kept({"MaxConcurrent": replicas, "TotalCompletions": replicas})}
        case _:
            return {"Replicated": Kept({"Replicas": replicas})}


def _container(stack: Stack, service: Service, ids: Ids) -> Spec:
    added, dropped = _capabilities(service)
    return {
        "Image": parse_image(value(service.image)).familiar,
        "Command": listed(service.entrypoint),
        "Args": listed(service.command),
        "Hostname": value(service.hostname),
        "Hosts": [f"{ip} {name}" for name, _, ip in (host.value.partition(":") for host in service.extra_hosts)],
        "DNSConfig": {"Nameservers": listed(service.dns), "Search": listed(service.dns_search)},
        "Healthcheck": _healthcheck(service.healthcheck),
        "Env": sorted(key if one.value is None else f"{key}={one.value}" for key, one in service.environment.items()),
        "Labels": plain(service.labels, {STACK: stack.name}),
        "Dir": value(service.working_dir),
        "User": value(service.user),
        "Mounts": [_mount(stack, mount) for mount in service.volumes],
        "StopGracePeriod": value(service.stop_grace_period),
        "StopSignal": value(service.stop_signal),
        "TTY": value(service.tty),
        "OpenStdin": value(service.stdin_open),
        "ReadOnly": value(service.read_only),
        "Init": None if service.init is None else Kept(service.init.value),
        "Isolation": value(service.isolation),
        "Privileges": {"CredentialSpec": _credentials(stack, service.credential_spec, ids)},
        "Configs": _configs(stack, service, ids),
        "Secrets": sorted(
            (_reference("secret", stack, stack.secrets[one.source], one, ids) for one in service.secrets),
            key=lambda reference: str(reference["SecretName"]),
        ),
        "Sysctls": plain(service.sysctls),
        "CapabilityAdd": added,
        "CapabilityDrop": dropped,
        "Ulimits": [_ulimit(name, limit) for name, limit in sorted(service.ulimits.items())],
    }


def _capabilities(service: Service) -> tuple[list[str], list[str]]:
    """What is added and dropped: upper case with CAP_.

    ALL swallows the rest, and adding wins over dropping.
    """
    added, dropped = ({_capability(one) for one in listed(names)} for names in (service.cap_add, service.cap_drop))
    added, dropped = ({_ALL} if _ALL in names else names for names in (added, dropped))
    return sorted(added - {"RESET"}), sorted(dropped - added - {"RESET"})


def _capability(name: str) -> str:
    name = name.strip().upper()
    return name if name in (_ALL, "RESET") or name.startswith("CAP_") else f"CAP_{name}"


def _healthcheck(check: Healthcheck | None) -> Spec | None:
    if check is None:
        return None
    if value(check.disable):
        return {"Test": ["NONE"]}
    return {
        "Test": listed(check.test),
        "Interval": value(check.interval) or None,
        "Timeout": value(check.timeout) or None,
        "StartPeriod": value(check.start_period) or None,
        "StartInterval": value(check.start_interval) or None,
        "Retries": value(check.retries) or None,
    }


def _mount(stack: Stack, mount: Mount) -> Spec:
    spec: Spec = {
        "Type": mount.type,
        "Source": mount.source,
        "Target": mount.target,
        "ReadOnly": mount.read_only,
        "Consistency": mount.consistency,
    }
    match mount.type:
        case "volume" if mount.source:
            return {**spec, **_volume(stack, mount)}
        case "bind" | "npipe" if mount.propagation is not None:
            return {**spec, "BindOptions": {"Propagation": mount.propagation}}
        case "tmpfs" if mount.size:
            return {**spec, "TmpfsOptions": {"SizeBytes": mount.size}}
        case "cluster":
            named = not mount.source.startswith("group:")
            source = stack.scoped(stack.volumes[mount.source]) if named else mount.source
            return {**spec, "Source": source, "ClusterOptions": Kept({})}
        case _:
            return spec


def _volume(stack: Stack, mount: Mount) -> Spec:
    volume = stack.volumes[mount.source]
    options: Spec = {"NoCopy": mount.nocopy, "Subpath": mount.subpath}
    if not volume.external:
        driver = {"Name": value(volume.driver), "Options": plain(volume.driver_opts or {})}
        options |= {"Labels": plain(volume.labels, {STACK: stack.name}), "DriverConfig": driver}
    return {"Source": stack.scoped(volume), "VolumeOptions": options}


def _configs(stack: Stack, service: Service, ids: Ids) -> list[Spec]:
    """The configs that are mounted as files, and the one that is a credential spec."""
    found = [_reference("config", stack, stack.configs[one.source], one, ids) for one in service.configs]
    spec = service.credential_spec
    if spec and value(spec.config):
        name = stack.scoped(stack.configs[value(spec.config)])
        found.append({"ConfigID": ids("config", name), "ConfigName": name, "Runtime": Kept({})})
    return sorted(found, key=lambda reference: str(reference["ConfigName"]))


def _reference(kind: str, stack: Stack, thing: FileObject, use: FileReference, ids: Ids) -> Spec:
    name = stack.scoped(thing)
    prefix = kind.capitalize()
    mode = _MODE if use.mode is None else use.mode.value
    return {
        f"{prefix}ID": ids(kind, name),
        f"{prefix}Name": name,
        "File": {"Name": use.target or use.source, "UID": use.uid or "0", "GID": use.gid or "0", "Mode": mode},
    }


def _credentials(stack: Stack, spec: CredentialSpec | None, ids: Ids) -> Spec | None:
    if spec is None:
        return None
    config = value(spec.config)
    return {
        "Config": ids("config", stack.scoped(stack.configs[config])) if config else None,
        "File": value(spec.file),
        "Registry": value(spec.registry),
    }


def _ulimit(name: str, limit: Ulimit) -> Spec:
    return {"Name": name, "Soft": limit.soft, "Hard": limit.hard}


def _resources(resources: Resources | None) -> Spec | None:
    if resources is None:
        return None
    return {
        "NanoCPUs": value(resources.cpus) or None,
        "MemoryBytes": value(resources.memory) or None,
        "Pids": value(resources.pids) or None,
        "GenericResources": [
            {"DiscreteResourceSpec": {"Kind": one.kind, "Value": one.value}} for one in resources.generic_resources
        ],
    }


def _restart(service: Service) -> Spec | None:
    """deploy.restart_policy, or what `restart` means without one.

    Nothing leaves the engine's own policy, any.
    """
    policy: RestartPolicy | None = service.deploy.restart_policy
    if policy:
        return {
            "Condition": value(policy.condition),
            "Delay": value(policy.delay),
            "MaxAttempts": value(policy.max_attempts),
            "Window": value(policy.window),
        }
    name, _, count = (value(service.restart) or "no").partition(":")
    if name in ("always", "unless-stopped"):
        return {"Condition": "any"}
    return {"Condition": "on-failure", "MaxAttempts": int(count or 0)} if name == "on-failure" else None


def _networks(stack: Stack, service: Service) -> list[Spec]:
    found = []
    for key, attachment in stack.networks_of(service).items():
        target = stack.scoped_network(key)
        alias = [] if target in _BUILT_IN or target.startswith("container:") else [service.name]
        aliases = [*listed(attachment.aliases), *alias]
        found.append({"Target": target, "Aliases": aliases, "DriverOpts": plain(attachment.driver_opts)})
    return sorted(found, key=lambda network: str(network["Target"]))


def _port(port: Port) -> Spec:
    return {
        "Protocol": port.protocol,
        "TargetPort": port.target,
        "PublishedPort": port.published or None,
        "PublishMode": port.mode,
    }


def _update(update: Update | None) -> Spec | None:
    if update is None:
        return None
    return {
        "Parallelism": 1 if update.parallelism is None else update.parallelism.value,
        "Delay": value(update.delay) or None,
        "FailureAction": value(update.failure_action),
        "Monitor": value(update.monitor) or None,
        "MaxFailureRatio": value(update.max_failure_ratio) or 0,
        "Order": value(update.order),
    }
