"""Checks that this kind of machines cannot carry out, with the reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from clusterlab.model.checks import AnyProbe, Check, InspectProbe, RunProbe
from clusterlab.model.iscsi import disk_of
from clusterlab.model.playbook import Play

_VOLUME_TYPES = {"nfs": "nfs", "nfs4": "nfs"}  # type of a volume -> the capability that it needs


def why_unsupported(check: Check, play: Play, containers: frozenset[str], lacks: Mapping[str, str]) -> str:
    """The reason, or "" when nothing is in the way.

    `lacks` are the capabilities that the machines lack. Beside those that the check says it needs, a container cannot
    exist where the kernel cannot mount its volume or encrypt the packets of its network.
    """
    for capability in check.needs:
        if capability in lacks:
            return f"needs {capability}: {lacks[capability]}"
    for name in sorted(containers):
        for volume, needed in _needed(play, name):
            if needed in lacks:
                return f"container {name} needs volume {volume}, and that {needed}: {lacks[needed]}"
        for network in _encrypted(play, play.containers[name].networks, lacks):
            return f"container {name} needs network {network}, and that xfrm: {lacks['xfrm']}"
    for _, probe in check.probes():
        for volume in _volumes(probe):
            needed = _capability(play, volume) if volume in play.volumes else ""
            if needed in lacks:
                return f"volume {volume} needs {needed}: {lacks[needed]}"
        for network in _encrypted(play, _networks(probe), lacks):
            return f"network {network} needs xfrm: {lacks['xfrm']}"
    return ""


def _volumes(probe: AnyProbe) -> list[str]:
    """The names of volumes that a probe itself inspects or mounts."""
    if isinstance(probe, InspectProbe):
        return [probe.volume] if probe.volume else []
    return [text.partition(":")[0] for text in probe.volumes] if isinstance(probe, RunProbe) else []


def _networks(probe: AnyProbe) -> list[str]:
    """The names of networks that a probe itself inspects or joins."""
    if isinstance(probe, InspectProbe):
        return [probe.network] if probe.network else []
    return list(probe.networks) if isinstance(probe, RunProbe) else []


def _encrypted(play: Play, networks: Iterable[str], lacks: Mapping[str, str]) -> list[str]:
    """Those that cannot be, as their packets cannot be encrypted."""
    if "xfrm" not in lacks:
        return []
    return [name for name in networks if name in play.networks and play.networks[name].encrypted]


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
    options = play.volumes[volume].driver_opts
    return "iscsi" if disk_of(options) is not None else _VOLUME_TYPES.get(str(options.get("type", "")), "")
