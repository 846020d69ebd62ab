"""Advice on mounts and volumes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from clusterlab.stacks.constraints import Constraint, parse_constraint
from clusterlab.stacks.mounts import has_drive
from clusterlab.stacks.stack import Mount, Service, Stack

from .kind import AdviceKind, Hit, Subject

REMOTE_TYPES = ("nfs", "nfs4", "cifs", "smb", "smb3", "ceph", "glusterfs", "lustre", "9p")


def constraints_of(service: Service) -> Iterator[Constraint]:
    """The constraints of a service; those that are wrong have been reported."""
    return (parse_constraint(one.value) for one in service.deploy.constraints)


def is_windows(service: Service) -> bool:
    """Whether a constraint puts a service on Windows."""
    return any(
        one.key.lower() == "node.platform.os" and one.equal and one.value.lower() == "windows"
        for one in constraints_of(service)
    )


def written_volumes(service: Service) -> Iterator[Mount]:
    """The named volumes that a service writes."""
    return (mount for mount in service.volumes if mount.type == "volume" and mount.source and not mount.read_only)


def _mounts(wanted: Callable[[Service, Mount], bool]) -> Callable[[Subject], Iterator[Hit]]:
    def find(subject: Subject) -> Iterator[Hit]:
        for name, service in subject.services():
            for mount in service.volumes:
                if wanted(service, mount):
                    yield Hit(mount.place, name)

    return find


def _replicas(subject: Subject) -> Iterator[Hit]:
    for name, service in subject.services():
        if (service.tasks or 0) < 2:
            continue
        for mount in written_volumes(service):
            if "{{" not in subject.stack.scoped(subject.stack.volumes[mount.source]):
                yield Hit(mount.place, name)


def _start_first(subject: Subject) -> Iterator[Hit]:
    for name, service in subject.services():
        for update in (service.deploy.update_config, service.deploy.rollback_config):
            if update and update.order and update.order.value == "start-first" and any(written_volumes(service)):
                yield Hit(update.order.place, name)


def _moves(subject: Subject) -> Iterator[Hit]:
    for name, service in subject.services():
        if service.mode != "replicated" or _is_pinned(service):
            continue
        for mount in written_volumes(service):
            if is_per_node(subject.stack, mount.source):
                yield Hit(mount.place, name)


def _is_pinned(service: Service) -> bool:
    return any(
        one.equal and (one.key.lower() in ("node.hostname", "node.id") or one.key.lower().startswith("node.labels."))
        for one in constraints_of(service)
    )


def is_per_node(stack: Stack, key: str) -> bool:
    """Whether each node has a volume of its own of that name, not by intention."""
    volume = stack.volumes[key]
    kind = (volume.driver_opts or {}).get("type")
    local = volume.driver is None or volume.driver.value in ("", "local")
    remote = kind is not None and kind.value in REMOTE_TYPES
    return not volume.external and local and not remote and "{{" not in stack.scoped(volume)


def _is_one_letter(service: Service, mount: Mount) -> bool:
    path = mount.original or mount.target
    return has_drive(path) and path[2:3] == "/" and not is_windows(service)


def _is_relative(service: Service, mount: Mount) -> bool:
    return mount.type == "bind" and mount.original.startswith((".", "~"))


def _unused(subject: Subject) -> Iterator[Hit]:
    stack = subject.stack
    networks = stack.used_networks()
    volumes = {mount.source for service in stack.services.values() for mount in service.volumes}
    for network in stack.networks.values():
        if network.key not in networks:
            yield Hit(network.place, f"networks.{network.key}", network.key)
    for volume in stack.volumes.values():
        if volume.key not in volumes:
            yield Hit(volume.place, f"volumes.{volume.key}", volume.key)


KINDS = [
    AdviceKind(
        "rw-volume-replicas",
        "two or more replicas write one named volume (its name no template)",
        "several tasks write one volume at the same time",
        "Give each its own with name: data-{{.Task.Slot}}, or mount it with ro, or use one replica.",
        _replicas,
    ),
    AdviceKind(
        "start-first-on-volume",
        "`order: start-first` and a named volume to write",
        "during an update the new task starts while the old one still writes the volume",
        "Write order: stop-first.",
        _start_first,
    ),
    AdviceKind(
        "local-volume-moves",
        "a replicated service writes a volume that each node has its own of, and no constraint with `==` on "
        "node.hostname, node.id or node.labels pins it",
        "each node has its own volume: on another node the task starts with an empty one",
        "Add a constraint such as node.labels.data == yes, or use a volume on NFS.",
        _moves,
    ),
    AdviceKind(
        "anonymous-volume",
        "a mount of a volume without a name",
        "a volume without a name is new and empty for each task, and stays behind on the node",
        "Name a volume: NAME:/path.",
        _mounts(lambda service, mount: mount.type == "volume" and not mount.source),
    ),
    AdviceKind(
        "one-letter-volume",
        "`d:/path`: taken for a Windows drive",
        "a single letter before a colon is read as a Windows drive, not as the name of a volume",
        "Give the volume a name of two letters or more.",
        _mounts(_is_one_letter),
    ),
    AdviceKind(
        "relative-bind",
        "the source of a bind begins with `.` or `~`",
        "a relative source becomes a path of this machine, and is looked for on whichever node the task runs",
        "Use a config for a file, or an absolute path that all nodes have.",
        _mounts(_is_relative),
    ),
    AdviceKind(
        "subpath-ignored",
        "`volume.subpath`",
        "engines before 26.1 and clients before 28.0 mount the whole volume instead",
        "Check that all nodes have 26.1 or later.",
        _mounts(lambda service, mount: bool(mount.subpath)),
    ),
    AdviceKind(
        "cluster-volume-not-made",
        "a mount of type cluster",
        "docker stack deploy makes no cluster volumes: x-cluster-spec is read and used for nothing",
        "Create it first: docker volume create --driver DRIVER --scope ... NAME",
        _mounts(lambda service, mount: mount.type == "cluster"),
    ),
    AdviceKind(
        "unused",
        "a network or volume that no service uses",
        "no service uses it: it is neither created nor checked",
        "Remove it, or use it.",
        _unused,
    ),
]
