"""A play's service as a stack's: what it means follows from the same code.

Volumes go by their own names, without a stack's in front.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from clusterlab.model import long_forms, playbook, short_syntax
from clusterlab.model.short_syntax import parse_mount, parse_port
from clusterlab.stacks.given import Given, Place
from clusterlab.stacks.service_specs import Spec, service_spec
from clusterlab.stacks.stack import (
    Attachment,
    CredentialSpec,
    Deploy,
    FileObject,
    FileReference,
    Logging,
    Mount,
    Port,
    Service,
    Stack,
    Ulimit,
    Volume,
)

from .container_body import words
from .nano import nano

T = TypeVar("T")
_NOWHERE = Place("", 0, 0)


def spec_of(name: str, service: playbook.Service) -> Spec:
    """What a stack would send for a play's service, without image, labels and networks.

    Names stand for the ids of configs and secrets.

    Variables and ports keep the play's order: in another one they would replace the tasks of an existing service.
    """
    mounts = tuple(_mount(parse_mount(item)) for item in service.volumes)
    volumes = {one.source: Volume(one.source, _NOWHERE, external=True) for one in mounts if one.type == "volume"}
    lowered = _service(name, service, mounts)
    stack = Stack("", Path(), (), {}, volumes=volumes, configs=_configs(lowered), secrets=_files(lowered.secrets))
    spec = service_spec(stack, lowered, lambda kind, name: name)
    container = spec["TaskTemplate"]["ContainerSpec"]
    del container["Image"], container["Labels"], spec["TaskTemplate"]["Networks"], spec["Labels"]
    if service.environment:
        container["Env"] = [f"{key}={value}" for key, value in service.environment.items()]
    if service.ports:
        order = [(one.port, one.host_port) for one in map(parse_port, service.ports)]
        ports = spec["EndpointSpec"]["Ports"]
        ports.sort(key=lambda one: order.index((one["TargetPort"], one.get("PublishedPort"))))
    return spec


def _service(name: str, service: playbook.Service, mounts: tuple[Mount, ...]) -> Service:
    deploy = service.deploy
    return Service(
        name,
        _NOWHERE,
        image=_given("image"),
        command=_texts(words(service.command)),
        entrypoint=_texts(words(service.entrypoint)),
        environment={key: _given(str(value)) for key, value in service.environment.items()},
        hostname=_given(service.hostname or ""),
        user=_given("" if service.user is None else str(service.user)),
        working_dir=_given(service.working_dir or ""),
        read_only=_given(service.read_only),
        tty=_given(service.tty),
        stdin_open=_given(service.stdin_open),
        init=_given(True) if service.init else None,
        stop_grace_period=None if service.stop_grace_period is None else _given(nano(service.stop_grace_period)),
        stop_signal=_given(service.stop_signal or ""),
        extra_hosts=_texts(f"{name}:{address}" for name, address in service.extra_hosts.items()),
        dns=_texts(service.dns),
        dns_search=_texts(service.dns_search),
        cap_add=_texts(service.cap_add),
        cap_drop=_texts(service.cap_drop),
        sysctls=_labels(service.sysctls),
        ulimits={name: _ulimit(limit) for name, limit in service.ulimits.items()},
        logging=_logging(service.logging),
        isolation=_given(service.isolation) if service.isolation else None,
        credential_spec=_credentials(service.credential_spec),
        configs=_references(service.configs),
        secrets=_references(service.secrets),
        networks={"none": Attachment(_NOWHERE)},
        ports=tuple(_port(parse_port(item)) for item in service.ports),
        volumes=mounts,
        deploy=Deploy(
            mode=_given(deploy.mode),
            replicas=None if deploy.mode.startswith("global") else _given(deploy.replicas),
            constraints=_texts(deploy.placement.constraints),
            preferences=_texts(one.spread for one in deploy.placement.preferences),
        ),
    )


def _given(value: T) -> Given[T]:
    return Given(value, _NOWHERE)


def _texts(values: Iterable[str] | None) -> tuple[Given[str], ...]:
    return tuple(map(_given, values or ()))


def _labels(values: Mapping[str, str | int]) -> dict[str, Given[str]]:
    return {key: _given(str(value)) for key, value in values.items()}


def _mount(mount: short_syntax.Mount) -> Mount:
    kind = "volume" if mount.type == "anonymous" else mount.type
    return Mount(
        _NOWHERE,
        kind,
        mount.source,
        mount.target,
        mount.read_only,
        nocopy=mount.nocopy or None,
        propagation=mount.propagation or None,
        size=mount.size or None,
    )


def _port(port: short_syntax.PortMapping) -> Port:
    return Port(_NOWHERE, port.port, port.host_port or 0, port.protocol, port.mode)


def _references(uses: Sequence[str | long_forms.FileReference]) -> tuple[FileReference, ...]:
    return tuple(
        FileReference(_NOWHERE, one.source, one.target, one.uid, one.gid, _given(one.mode))
        for one in map(long_forms.reference, uses)
    )


def _files(uses: Iterable[FileReference]) -> dict[str, FileObject]:
    """What services use, as external ones of a stack: these go by their own names."""
    return {one.source: FileObject(one.source, _NOWHERE, external=True) for one in uses}


def _configs(service: Service) -> dict[str, FileObject]:
    spec = service.credential_spec
    config = spec.config.value if spec and spec.config else ""
    return {**_files(service.configs), **({config: FileObject(config, _NOWHERE, external=True)} if config else {})}


def _credentials(spec: long_forms.CredentialSpec | None) -> CredentialSpec | None:
    if spec is None:
        return None
    config, file, registry = (_given(one) if one else None for one in (spec.config, spec.file, spec.registry))
    return CredentialSpec(_NOWHERE, config, file, registry)


def _logging(logging: long_forms.Logging | None) -> Logging | None:
    return Logging(_NOWHERE, _given(logging.driver), _labels(logging.options)) if logging else None


def _ulimit(limit: int | long_forms.Ulimit) -> Ulimit:
    soft, hard = (limit, limit) if isinstance(limit, int) else (limit.soft, limit.hard)
    return Ulimit(_NOWHERE, soft, hard)
