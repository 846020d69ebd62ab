"""Removing all that apply made, found from the hosts alone."""

from __future__ import annotations

from clusterlab.errors import ClusterlabError, HostError
from clusterlab.remote import Host, Hosts
from clusterlab.resources.base import Change, Key
from clusterlab.resources.disks import disk_removal
from clusterlab.resources.images import image_removals, is_ours_tag
from clusterlab.resources.networks import services_on
from clusterlab.resources.observed import Json, Observed, is_task, observe, service_of, with_services
from clusterlab.resources.removal import (
    container_removal,
    network_removal,
    service_removal,
    task_removal,
    volume_removal,
)

from .apply import unreachable

FLAG = "--delete-data"
_REASON = "it was made for this lab"
_NEVER = 9
_EVER_USED = (
    "for folder in /var/lib/docker/containers/* /var/lib/docker/volumes/*; do\n"
    f'  [ -d "$folder" ] && exit 0\ndone\nexit {_NEVER}'
)


def clean(lab_name: str, hosts: Hosts, delete_data: bool = False) -> list[Change]:
    """The changes that remove all that carries the lab's label, and nothing else; nothing is changed here.

    Services go first, then containers, networks, volumes, disks and images. Volumes that hold data are kept
    (blocked) unless `delete_data`. Hosts without an engine have nothing; one that does not answer is a
    blocked change, and the others go on.
    """
    observed, errors = _observed(lab_name, hosts)
    flag = "" if delete_data else FLAG
    everywhere = list(observed.values())
    changes = [unreachable(name, error) for name, error in errors.items()]
    for at in everywhere:
        for name, service in at.services.items():
            if at.owns(service) and not _told(changes, "service", name):
                changes.append(service_removal(at, everywhere, name, _REASON))
    services = frozenset(change.key for change in changes if change.key.kind == "service")
    for at in everywhere:
        for name, container in at.containers.items():
            if at.owns(container) and not is_task(container):
                changes.append(container_removal(at, name, _REASON, data_flag=flag))
            elif at.owns(container) and _is_without_service(container, everywhere):
                changes.append(task_removal(at, name, service_of(container)))
    for at in everywhere:
        changes += _networks(at, everywhere, changes)
        here = services | {change.key for change in changes if change.key[:2] == (at.name, "container")}
        for name, volume in at.volumes.items():
            if at.owns(volume):
                users = services | {Key(at.name, "container", user) for user in at.containers_with(name)}
                changes.append(volume_removal(at, name, _REASON, needs=users, data_flag=flag))
        changes += [disk_removal(at, disk, _REASON, services) for disk in at.disks.values()]
        changes += image_removals(at, lab_name, frozenset(here))
    return changes


def left_over(lab_name: str, hosts: Hosts) -> list[str]:
    """What of the lab is still on the hosts, each with its host; empty when nothing is."""
    observed, errors = _observed(lab_name, hosts)
    left = [f"{name}: not known: {error.message}. {error.remedy}".rstrip() for name, error in errors.items()]
    for at in observed.values():
        for kind, objects in (
            ("service", at.services),
            ("container", at.containers),
            ("network", at.networks),
            ("volume", at.volumes),
        ):
            left += [f"{at.name}: {kind} {name}" for name, one in objects.items() if at.owns(one)]
        left += [f"{at.name}: disk {name}" for name in at.disks]
        left += [f"{at.name}: image {tag}" for tag in at.images if is_ours_tag(lab_name, tag)]
    return left


def _observed(lab_name: str, hosts: Hosts) -> tuple[dict[str, Observed], dict[str, ClusterlabError]]:
    """What stands on each host that has an engine, and why the others could not be asked."""
    answers = hosts.each(list(hosts), lambda host: _observed_if_used(lab_name, host))
    observed = {name: one for name, one in answers.items() if isinstance(one, Observed)}
    return observed, {name: one for name, one in answers.items() if isinstance(one, ClusterlabError)}


def _observed_if_used(lab_name: str, host: Host) -> Observed | None:
    """What stands on a host; nothing when its engine has never had anything, as on a host that only serves NFS."""
    try:
        return with_services(observe(host, lab_name, disks=True))
    except HostError:
        if host.run(_EVER_USED).exit == _NEVER:
            return None
        raise


def _networks(at: Observed, everywhere: list[Observed], changes: list[Change]) -> list[Change]:
    """The lab's networks that this host removes: its own, and the Swarm's when it is the first that manages it."""
    found: list[Change] = []
    for name, network in at.networks.items():
        swarm_wide = network.get("Scope") == "swarm"
        if not at.owns(network) or (swarm_wide and (not at.manages_swarm or _told(changes, "network", name))):
            continue
        on_it = everywhere if swarm_wide else [at]
        needs = {Key(one.name, "container", user) for one in on_it for user in one.containers_on(network["Id"])}
        needs |= {Key(at.name, "service", service) for service in services_on(at, network["Id"])}
        found.append(network_removal(at, on_it, name, _REASON, needs=frozenset(needs)))
    return found


def _is_without_service(task: Json, everywhere: list[Observed]) -> bool:
    """Whether a task is ending, as the Swarm's manager, if it answers, has its service no more."""
    managers = [at for at in everywhere if at.manages_swarm]
    return bool(managers) and all(service_of(task) not in at.services for at in managers)


def _told(changes: list[Change], kind: str, name: str) -> bool:
    return any(change.key[1:] == (kind, name) for change in changes)
