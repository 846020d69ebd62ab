"""What the plays lack on the hosts: images, volumes, networks, containers and services."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from clusterlab.errors import ClusterlabError
from clusterlab.model.iscsi import disk_of
from clusterlab.model.lab import Lab
from clusterlab.model.playbook import Container, Play, Volume
from clusterlab.model.short_syntax import parse_mount
from clusterlab.progress import Progress, Silent
from clusterlab.remote import Hosts
from clusterlab.resources.base import Change, Key, Skipped
from clusterlab.resources.containers import container_changes
from clusterlab.resources.disks import disk_changes
from clusterlab.resources.images import image_changes, wanted_images
from clusterlab.resources.networks import network_changes
from clusterlab.resources.observed import Observed, is_task, observe, with_services
from clusterlab.resources.scope import Scope
from clusterlab.resources.swarm_check import swarm_problems
from clusterlab.resources.swarm_services import service_changes
from clusterlab.resources.volumes import volume_changes

NO_CAPABILITIES: Mapping[str, str] = {}


def apply(
    lab: Lab,
    hosts: Hosts,
    allow_data_loss: bool = False,
    unsupported: Mapping[str, str] = NO_CAPABILITIES,
    progress: Progress | None = None,
) -> list[Change]:
    """The changes that bring the plays' objects to their wanted state; nothing is changed on a host.

    Images that are built from packages are built on this machine when they are not in the cache. What was
    made for one of these plays and is no longer in it is removed; objects of other plays and of anybody else
    are left alone. A host that does not answer is a blocked change of its own, so the others go on.
    """
    shown = progress or Silent()
    images = wanted_images(lab, shown)
    omitted = frozenset(one.key for one in left_out(lab, unsupported))
    with_disks = {disk.host for play in lab.plays.values() for disk in play.disks.values()}
    with_disks = set() if "iscsi" in unsupported else with_disks
    answers = hosts.each(
        lab.inventory.docker_hosts, lambda host: observe(host, lab.name, disks=host.name in with_disks)
    )
    observed = {name: one for name, one in answers.items() if isinstance(one, Observed)}
    dead = [unreachable(name, error) for name, error in answers.items() if isinstance(error, ClusterlabError)]
    scope = Scope(lab, _services_where_needed(lab, observed), allow_data_loss, omitted, images)
    return changes_in(scope, shown, [*dead, *swarm_problems(scope)])


def changes_in(scope: Scope, progress: Progress, before: Sequence[Change] = ()) -> list[Change]:
    """`before`, and what the plays lack in `scope`; each change stands after those that it needs."""
    changes = [
        *before,
        *image_changes(scope, progress),
        *disk_changes(scope),
        *volume_changes(scope),
        *network_changes(scope),
    ]
    pending = {change.key: change for change in changes}
    return [*changes, *container_changes(scope, pending), *service_changes(scope, pending)]


def left_out(lab: Lab, unsupported: Mapping[str, str] = NO_CAPABILITIES) -> list[Skipped]:
    """What these machines cannot have: without NFS its volumes, without iSCSI disks and what is on them, without
    IPsec encrypted networks; and what uses them.

    Swarm services stand without IPVS, too; only their virtual addresses and published ports do not work then.
    """
    reasons: dict[Key, str] = {}
    for play in lab.plays.values():
        if "nfs" in unsupported:
            nfs = {name for name, volume in play.volumes.items() if _is_nfs(volume)}
            reasons |= dict.fromkeys(_needing(lab, play, nfs), f"nfs: {unsupported['nfs']}")
        if "iscsi" in unsupported:
            disks = {Key(disk.host, "disk", name) for name, disk in play.disks.items()}
            on_disks = {name for name, one in play.volumes.items() if disk_of(one.driver_opts) is not None}
            reasons |= dict.fromkeys([*disks, *_needing(lab, play, on_disks)], f"iscsi: {unsupported['iscsi']}")
        if "xfrm" in unsupported:
            reasons |= dict.fromkeys(_needing_xfrm(lab, play), f"xfrm: {unsupported['xfrm']}")
    return [Skipped(key, reason) for key, reason in reasons.items()]


def _needing(lab: Lab, play: Play, volumes: set[str]) -> Iterator[Key]:
    """Volumes, and what mounts them."""
    for name in volumes:
        for host in lab.expand(play.volumes[name].hosts):
            yield Key(host, "volume", name)
    for name in _containers_with(play.containers, volumes):
        yield Key(play.containers[name].host, "container", name)
    for name, service in play.services.items():
        if _mounts(service.volumes) & volumes:
            yield Key(_manager(lab), "service", name)


def _needing_xfrm(lab: Lab, play: Play) -> Iterator[Key]:
    encrypted = {name for name, network in play.networks.items() if network.encrypted}
    for name in encrypted:
        yield Key(_manager(lab), "network", name)
    for name, container in play.containers.items():
        if encrypted & set(container.networks):
            yield Key(container.host, "container", name)
    for name, service in play.services.items():
        if encrypted & set(service.networks):
            yield Key(_manager(lab), "service", name)


def _manager(lab: Lab) -> str:
    return next(iter(lab.inventory.with_role("swarm_manager")), "")


def unreachable(host: str, error: ClusterlabError) -> Change:
    """A host that could not be asked, as something that a person has to mend first."""

    def raise_it() -> None:
        raise error

    remedy = f" {error.remedy}" if error.remedy else ""
    return Change(
        key=Key(host, "engine", "docker"),
        action="ask",
        reason="it could not be asked",
        command="docker info",
        carry_out=raise_it,
        blocked=f"{error.message}.{remedy}",
    )


def _services_where_needed(lab: Lab, observed: dict[str, Observed]) -> dict[str, Observed]:
    """Services are asked for when the plays have some or tasks of ours run: else it is a request for nothing."""
    has_tasks = any(at.owns(one) and is_task(one) for at in observed.values() for one in at.containers.values())
    if not has_tasks and not any(play.services for play in lab.plays.values()):
        return observed
    ask: Callable[[Observed], Observed] = with_services
    return {name: ask(at) for name, at in observed.items()}


def _is_nfs(volume: Volume) -> bool:
    return volume.driver == "local" and str(volume.driver_opts.get("type", "")).startswith("nfs")


def _mounts(volumes: list[str]) -> set[str]:
    return {one.source for one in map(parse_mount, volumes) if one.type == "volume"}


def _containers_with(containers: Mapping[str, Container], volumes: set[str]) -> set[str]:
    """Containers that mount one of `volumes`, also through another container."""
    found = {name for name, one in containers.items() if _mounts(one.volumes) & volumes}
    while True:
        more = {
            name
            for name, one in containers.items()
            if name not in found and found & {text.partition(":")[0] for text in one.volumes_from}
        }
        if not more:
            return found
        found |= more
