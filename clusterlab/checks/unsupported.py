"""Checks that this kind of machines cannot carry out, with the reason."""

from __future__ import annotations

from collections.abc import Mapping

from clusterlab.model.checks import AnyProbe, Check, InspectProbe, RunProbe
from clusterlab.model.playbook import Play

_VOLUME_TYPES = {"nfs": "nfs", "nfs4": "nfs"}  # type of a volume -> the capability that it needs


def why_unsupported(check: Check, play: Play, containers: frozenset[str], lacks: Mapping[str, str]) -> str:
    """The reason, or "" when nothing is in the way.

    `lacks` are the capabilities that the machines lack. Beside those that the check says it needs, a container cannot
    exist where the kernel cannot mount its volume.
    """
    for capability in check.needs:
        if capability in lacks:
            return f"needs {capability}: {lacks[capability]}"
    for name in sorted(containers):
        for volume, needed in _needed(play, name):
            if needed in lacks:
                return f"container {name} needs volume {volume}, and that {needed}: {lacks[needed]}"
    for _, probe in check.probes():
        for volume in _volumes(probe):
            needed = _capability(play, volume) if volume in play.volumes else ""
            if needed in lacks:
                return f"volume {volume} needs {needed}: {lacks[needed]}"
    return ""


def _volumes(probe: AnyProbe) -> list[str]:
    """The names of volumes that a probe itself inspects or mounts."""
    if isinstance(probe, InspectProbe):
        return [probe.volume] if probe.volume else []
    return [text.partition(":")[0] for text in probe.volumes] if isinstance(probe, RunProbe) else []


def _needed(play: Play, container: str, of: frozenset[str] = frozenset()) -> list[tuple[str, str]]:
    """The volumes of a container and of those that it takes volumes from, with the capability that each needs."""
    wanted = play.containers[container]
    names = [text.partition(":")[0] for text in wanted.volumes]
    needed = [(name, _capability(play, name)) for name in names if name in play.volumes]
    for text in wanted.volumes_from:
        other = text.partition(":")[0]
        if other in play.containers and other not in of:
            needed += _needed(play, other, of | {container})
    return needed


def _capability(play: Play, volume: str) -> str:
    return _VOLUME_TYPES.get(str(play.volumes[volume].driver_opts.get("type", "")), "")
