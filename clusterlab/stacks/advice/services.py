"""Advice on keys of services."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from clusterlab.stacks.given import Place
from clusterlab.stacks.images import parse_image
from clusterlab.stacks.mounts import has_drive
from clusterlab.stacks.stack import FileObject, FileReference, Network, Service, Volume

from .kind import AdviceKind, Hit, Subject
from .volumes import is_windows

_IPC = r"msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced"
_NAMESPACED = re.compile(rf"net\..+|fs\.mqueue\..+|kernel\.({_IPC})")


def _latest(subject: Subject) -> Iterator[Hit]:
    for name, service in subject.services():
        assert service.image is not None
        image = parse_image(service.image.value)
        if not image.digest and image.tag in ("", "latest"):
            yield Hit(service.image.place, name)


def _ignored(subject: Subject) -> Iterator[Hit]:
    for name, service in subject.services():
        for key, place in _ignored_keys(service):
            yield Hit(place, f"{name}: {key}", key)


def _ignored_keys(service: Service) -> Iterator[tuple[str, Place]]:
    yield from service.ignored.items()
    for attachment in service.networks.values():
        yield from attachment.ignored.items()
    for mount in service.volumes:
        yield from ((key, mount.place) for key in mount.ignored)
    for reference in (*service.configs, *service.secrets):
        yield from ((key, reference.place) for key in reference.ignored)
    if service.restart and service.restart.value and service.deploy.restart_policy:
        yield "restart", service.restart.place


def _restarts(subject: Subject) -> Iterator[tuple[str, Service, Place]]:
    for name, service in subject.services():
        if service.restart and service.restart.value and not service.deploy.restart_policy:
            yield name, service, service.restart.place


def _restart(subject: Subject) -> Iterator[Hit]:
    return (Hit(place, name) for name, service, place in _restarts(subject) if not _is_no(service))


def _restart_no(subject: Subject) -> Iterator[Hit]:
    return (Hit(place, name) for name, service, place in _restarts(subject) if _is_no(service))


def _is_no(service: Service) -> bool:
    return service.restart is not None and service.restart.value.partition(":")[0] == "no"


def _host_ports(subject: Subject) -> Iterator[Hit]:
    for name, service in subject.services():
        host = any(port.mode.lower() == "host" for port in service.ports)
        for update in (service.deploy.update_config, service.deploy.rollback_config):
            if host and update and update.order and update.order.value == "start-first":
                yield Hit(update.order.place, name)


def _addresses(subject: Subject) -> Iterator[Hit]:
    for name, service in subject.services():
        for port in service.ports:
            address = port.ip.removeprefix("[").removesuffix("]")
            if address and not ipaddress.ip_address(address).is_unspecified:
                yield Hit(port.place, name)


def _jobs(subject: Subject) -> Iterator[Hit]:
    for name, service in subject.services():
        if service.is_job and service.deploy.mode:
            yield Hit(service.deploy.mode.place, name)


def _probes(subject: Subject) -> Iterator[Hit]:
    for name, service in subject.services():
        test = service.healthcheck.test if service.healthcheck else None
        if test and test[0].value not in ("CMD", "CMD-SHELL", "NONE"):
            yield Hit(test[0].place, name)


def _sysctls(subject: Subject) -> Iterator[Hit]:
    for name, service in subject.services():
        for key, given in service.sysctls.items():
            if not _NAMESPACED.fullmatch(key):
                yield Hit(given.place, f"{name}: {key}")


def _modes(subject: Subject) -> Iterator[Hit]:
    for name, service in subject.services():
        for reference in (*service.configs, *service.secrets):
            if reference.mode and _reads_like_octal(reference):
                yield Hit(reference.mode.place, name, more=f"{reference.mode.value} is 0{reference.mode.value:o}")


def _reads_like_octal(reference: FileReference) -> bool:
    """Whether a decimal mode has the digits of usual permissions.

    400, 0644 without its 0, 755.
    """
    written = reference.mode_written or str(reference.mode.value if reference.mode else "")
    return re.fullmatch(r"[1-7]?[4-7][04-7][04-7]", written) is not None


def _old_names(subject: Subject) -> Iterator[Hit]:
    stack = subject.stack
    sections: list[tuple[str, list[Network | Volume | FileObject]]] = [
        ("networks", list(stack.networks.values())),
        ("volumes", list(stack.volumes.values())),
        ("configs", list(stack.configs.values())),
        ("secrets", list(stack.secrets.values())),
    ]
    for section, things in sections:
        for thing in things:
            if thing.old_name and thing.name:
                yield Hit(thing.name.place, f"{section}.{thing.key}", "external.name")


def _windows(subject: Subject) -> Iterator[Hit]:
    for name, service in subject.services():
        if service.isolation and service.isolation.value:
            yield Hit(service.isolation.place, name)
        if service.credential_spec:
            yield Hit(service.credential_spec.place, name)
        if is_windows(service):
            yield Hit(service.deploy.constraints[0].place, name)
        for mount in service.volumes:
            paths = [path for path in (mount.original, mount.target) if has_drive(path) and path[2:3] == "\\"]
            if mount.type == "npipe" or paths:
                yield Hit(mount.place, name)


KINDS = [
    AdviceKind(
        "start-first-on-host-port",
        "`order: start-first` and a port with `mode: host`",
        "the new task cannot get the port of the node while the old one holds it: the update waits for another node",
        "Write order: stop-first.",
        _host_ports,
    ),
    AdviceKind(
        "latest-tag",
        "no tag and no digest, or `latest`",
        "latest is whatever was pushed last: nodes may run different images, and a rollback gets the same one",
        "Name a version.",
        _latest,
    ),
    AdviceKind(
        "ignored-key",
        "a key or option that is accepted, and has no effect",
        "docker stack deploy accepts it, and it has no effect",
        "Remove it, or express it with what a Swarm knows.",
        _ignored,
    ),
    AdviceKind(
        "deprecated",
        "`external: {name: ...}`",
        "external: {name: ...} is deprecated",
        "Write external: true, and name beside it.",
        _old_names,
    ),
    AdviceKind(
        "restart-as-policy",
        "`restart` without `deploy.restart_policy`",
        "Docker says that restart is ignored, and still uses it as the restart policy",
        "Write deploy.restart_policy with condition: any or on-failure.",
        _restart,
    ),
    AdviceKind(
        "restart-no-restarts",
        '`restart: "no"` without `deploy.restart_policy`',
        "a Swarm's own policy stays, which restarts tasks always",
        "Write deploy.restart_policy with condition: none.",
        _restart_no,
    ),
    AdviceKind(
        "host-ip-ignored",
        "a port with an address",
        "the address is dropped: the port is open on every address of every node",
        "Leave the address out, and restrict access with a firewall; mode: host limits it to the task's node.",
        _addresses,
    ),
    AdviceKind(
        "job-reruns",
        "a job",
        "each deployment runs the job again, whether it changed or not",
        "Make sure that it may run twice, or deploy it as a stack of its own.",
        _jobs,
    ),
    AdviceKind(
        "healthcheck-without-cmd",
        "a list that begins with none of CMD, CMD-SHELL, NONE",
        "the engine knows no such probe, and checks nothing",
        "Put CMD in front of the list.",
        _probes,
    ),
    AdviceKind(
        "sysctl-not-namespaced",
        "other than net.*, fs.mqueue.* and the IPC ones of kernel.*",
        "it belongs to the host, not to the container: no task with it starts",
        "Set it on the nodes with sysctl.",
        _sysctls,
    ),
    AdviceKind(
        "mode-not-octal",
        "a file's mode in decimal that reads like an octal one",
        "without a leading 0 the mode is a decimal number",
        "Write it with a leading 0, such as 0400.",
        _modes,
    ),
    AdviceKind(
        "windows-only",
        "isolation, credential_spec, npipe, the path of a drive, or a constraint to Windows",
        "it has a meaning on Windows nodes only, which a lab does not have",
        "Mute it, and expect that no task of this service starts on a lab.",
        _windows,
    ),
]
