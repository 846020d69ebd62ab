"""What Docker's client and the engine refuse in mounts.

Sources: volume.go of docker/cli's converter, swarmkit's validateMounts, validate.go of moby's container executor.
"""

from __future__ import annotations

from collections.abc import Iterator

from clusterlab.model.problems import Problem

from .given import Place
from .mounts import has_drive
from .stack import Mount, Service

_FITTING = {
    "volume": {"volume"},
    "bind": {"bind"},
    "tmpfs": {"tmpfs"},
    "npipe": {"bind"},
    "cluster": set[str](),
    "image": set[str](),
}


def mount_problems(service: Service) -> Iterator[Problem]:
    """Everything that is wrong with the mounts of a service.

    Except for volumes that are not defined.
    """
    seen: set[str] = set()
    for mount in service.volumes:
        for place, message, remedy in _wrong(mount):
            yield place.problem(f"services.{service.name}.volumes: {message}", remedy)
        if mount.target in seen:
            yield mount.place.problem(
                f"services.{service.name}.volumes: two mounts have the target {mount.target}",
                "Give one another target.",
            )
        seen.add(mount.target)


def _wrong(mount: Mount) -> Iterator[tuple[Place, str, str]]:
    if mount.type == "image":
        yield mount.places["type"], "the engine refuses mounts of type image in services", "Use a volume or a config."
        return
    for kind in sorted(mount.options - _FITTING[mount.type]):
        place = mount.places.get(kind, mount.place)
        yield (
            place,
            f"a mount of type {mount.type} cannot have options of {kind}",
            "Leave them out, or change the type.",
        )
    if mount.type == "tmpfs" and mount.source:
        yield mount.places["source"], "a mount of type tmpfs has no source", "Leave it out."
    if mount.type in ("bind", "npipe", "cluster") and not mount.source:
        yield mount.place, f"a mount of type {mount.type} needs a source", ""
    if mount.type != "npipe" and not mount.target.startswith(("/", "\\\\")) and not has_drive(mount.target):
        message = f"the target '{mount.target}' is not an absolute path"
        remedy = "Begin it with /, or no task can start."
        if has_drive(mount.source):
            remedy = f"'{mount.source[0]}:' is read as a Windows drive: give the volume a name of two letters or more."
        yield mount.places.get("target", mount.place), message, remedy
