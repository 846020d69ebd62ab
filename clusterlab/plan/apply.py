"""What the plays lack on the hosts: images, volumes, networks, containers and services."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from clusterlab.capabilities import ALL_CAPABILITIES, Capabilities
from clusterlab.errors import ClusterlabError
from clusterlab.model.lab import Lab
from clusterlab.model.needs import (
    Need,
    container_needs,
    disk_needs,
    missing,
    network_needs,
    volume_needs,
    why_service_cannot_run,
)
from clusterlab.model.playbook import Play
from clusterlab.progress import Progress, Silent
from clusterlab.remote import Hosts
from clusterlab.resources.base import Change, Key, Skipped
from clusterlab.resources.containers import container_changes
from clusterlab.resources.disks import disk_changes
from clusterlab.resources.images import image_changes, wanted_images
from clusterlab.resources.networks import network_changes
from clusterlab.resources.observed import Observed, is_task, observe, with_services
from clusterlab.resources.scope import SWARM_DRIVERS, Scope
from clusterlab.resources.swarm_check import swarm_problems
from clusterlab.resources.swarm_services import service_changes
from clusterlab.resources.volumes import volume_changes


def apply(
    lab: Lab,
    hosts: Hosts,
    allow_data_loss: bool = False,
    unsupported: Capabilities = ALL_CAPABILITIES,
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
    with_disks = {host for host in with_disks if unsupported.has(host, "iscsi")}
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


def left_out(lab: Lab, unsupported: Capabilities = ALL_CAPABILITIES) -> list[Skipped]:
    """What hosts cannot have: without NFS its volumes, without iSCSI disks and what is on them, without IPsec
    encrypted networks; and what uses them there.

    Swarm-wide objects are left out when no host of the Swarm can have them. Services need no IPVS: without it only
    their virtual addresses and published ports do not work.
    """
    found: dict[Key, str] = {}
    for play in lab.plays.values():
        for key, needs in _needs(lab, play):
            need = missing(needs, unsupported)
            if need:
                found.setdefault(key, _reason(need, key, unsupported))
        for key, need in _swarm_wide(lab, play, unsupported):
            if need:
                found.setdefault(key, _reason(need, key._replace(host=need.host), unsupported))
    return [Skipped(key, reason) for key, reason in found.items()]


def _needs(lab: Lab, play: Play) -> Iterator[tuple[Key, Iterator[Need]]]:
    """What each object of one host needs."""
    for name, disk in play.disks.items():
        yield Key(disk.host, "disk", name), disk_needs(lab, disk.host, name)
    for name, volume in play.volumes.items():
        for host in lab.expand(volume.hosts):
            yield Key(host, "volume", name), volume_needs(lab, play, name, host)
    for name, network in play.networks.items():
        if network.driver not in SWARM_DRIVERS:
            for host in lab.expand(network.hosts):
                yield Key(host, "network", name), network_needs(play, name, host)
    for name, container in play.containers.items():
        yield Key(container.host, "container", name), container_needs(lab, play, name)


def _swarm_wide(lab: Lab, play: Play, unsupported: Capabilities) -> Iterator[tuple[Key, Need | None]]:
    """The needs that keep objects of the Swarm from every host."""
    manager = next(iter(lab.inventory.with_role("swarm_manager")), "")
    for name, network in play.networks.items():
        if network.driver in SWARM_DRIVERS:
            found = [missing(network_needs(play, name, host), unsupported) for host in lab.inventory.docker_hosts]
            yield Key(manager, "network", name), found[0] if found and all(found) else None
    for name in play.services:
        yield Key(manager, "service", name), why_service_cannot_run(lab, play, name, unsupported)


def _reason(need: Need, key: Key, unsupported: Capabilities) -> str:
    where = "" if need.host == key.host else f" on {need.host}"
    return f"{need.capability}{where}: {unsupported.reason(need.host, need.capability)}"


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
