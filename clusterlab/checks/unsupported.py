"""Checks that this kind of machines cannot carry out, with the reason."""

from __future__ import annotations

from collections.abc import Mapping

from clusterlab.model.checks import Check, InspectProbe
from clusterlab.model.playbook import Container, Play

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
        for volume, capability in _needed(play, play.containers[name]):
            if capability in lacks:
                return f"container {name} needs volume {volume}, and that {capability}: {lacks[capability]}"
    for _, probe in check.probes():
        if isinstance(probe, InspectProbe) and probe.volume in play.volumes:
            capability = _capability(play, probe.volume)
            if capability in lacks:
                return f"volume {probe.volume} needs {capability}: {lacks[capability]}"
    return ""


def _needed(play: Play, container: Container) -> list[tuple[str, str]]:
    names = [str(volume).partition(":")[0] for volume in container.volumes]
    return [(name, _capability(play, name)) for name in names if name in play.volumes]


def _capability(play: Play, volume: str) -> str:
    return _VOLUME_TYPES.get(str(play.volumes[volume].driver_opts.get("type", "")), "")
