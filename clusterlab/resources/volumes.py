"""Volumes.

`docker volume create` with the name of a volume that is there returns that one and ignores all options, so
every option is compared with what the engine lists. A volume cannot be changed: another option means remove
and create, around the containers of ours that use it.
"""

from __future__ import annotations

from dataclasses import dataclass

from clusterlab.model.playbook import Volume

from .base import Change, Difference, Key
from .compare import differences, told
from .disks import needed_disk, with_device
from .engine_calls import engine, pairs, shell
from .labels import labels_for, not_ours, own_labels
from .observed import Json, Observed, is_task, labels_of, service_of
from .removal import (
    foreign_users,
    holds_data,
    loses_anonymous,
    remote_data,
    remove_container,
    remove_service,
    remove_volume,
    volume_removal,
    wait_for_tasks_to_end,
)
from .scope import Scope

FLAG = "--allow-data-loss"
_ANONYMOUS = "com.docker.volume.anonymous"  # a label that the engine itself gives


@dataclass(frozen=True)
class WantedVolume:
    """A volume as it is to be on one host."""

    name: str
    driver: str
    options: dict[str, str]
    labels: dict[str, str]

    @property
    def command(self) -> list[str]:
        words = ["docker", "volume", "create", "--driver", self.driver]
        return [*words, *pairs("--opt", self.options), *pairs("--label", self.labels), self.name]


def wanted_volume(lab: str, play: str, name: str, volume: Volume) -> WantedVolume:
    options = {key: str(value) for key, value in volume.driver_opts.items()}
    labels = labels_for(lab, play, [volume.driver, options, volume.labels], volume.labels)
    return WantedVolume(name, volume.driver, options, labels)


def volume_changes(scope: Scope) -> list[Change]:
    """What brings the plays' volumes to their wanted state, and removes those that the plays no longer have."""
    changes: list[Change] = []
    wanted: set[Key] = set()
    for play, one in scope.lab.plays.items():
        for name, volume in one.volumes.items():
            for host in scope.lab.expand(volume.hosts):
                key = Key(host, "volume", name)
                wanted.add(key)
                if scope.answers(key):
                    made = wanted_volume(scope.lab.name, play, name, with_device(scope, one, volume))
                    changes += _brought(scope, scope.observed[host], made, needed_disk(host, volume))
    for at in scope.observed.values():
        for name in scope.left_from_these_plays(at, at.volumes):
            if Key(at.name, "volume", name) not in wanted:
                users = frozenset(Key(at.name, "container", user) for user in at.containers_with(name))
                flag = "" if scope.allow_data_loss else FLAG
                changes.append(volume_removal(at, name, "the play no longer has it", needs=users, data_flag=flag))
    return changes


def volume_differences(wanted: WantedVolume, found: Json) -> list[Difference]:
    """Every option, the driver and the play's labels, as listed by the engine."""
    labels = {key: value for key, value in own_labels(labels_of(found)).items() if key != _ANONYMOUS}
    return [
        *differences("", {"driver": wanted.driver}, {"driver": found.get("Driver")}),
        *differences("driver_opts", wanted.options, found.get("Options") or {}),
        *differences("labels", own_labels(wanted.labels), labels),
    ]


def _brought(scope: Scope, at: Observed, wanted: WantedVolume, needs: frozenset[Key]) -> list[Change]:
    found = at.volumes.get(wanted.name)
    key = Key(at.name, "volume", wanted.name)
    create = Change(key, "create", "it is not there", shell(wanted.command), lambda: _create(at, wanted), needs=needs)
    if found is None:
        return [create]
    if not at.owns(found):
        blocked = not_ours("volume", wanted.name, labels_of(found), f"docker volume rm {wanted.name}")
        differing = tuple(volume_differences(wanted, found))
        reason = (
            f"another one of that name is there: {told(differing)}"
            if differing
            else "another one of that name is there"
        )
        return [Change(key, "create", reason, create.command, create.carry_out, differing, needs, blocked)]
    differing = tuple(volume_differences(wanted, found))
    return [_replacement(scope, at, wanted, differing, needs)] if differing else []


def _replacement(
    scope: Scope, at: Observed, wanted: WantedVolume, differing: tuple[Difference, ...], needs: frozenset[Key]
) -> Change:
    found = at.volumes[wanted.name]
    users = at.containers_with(wanted.name)
    ours = sorted(name for name, one in users.items() if at.owns(one) and not is_task(one))
    services = sorted({service_of(one) for one in users.values() if at.owns(one) and is_task(one)})
    blocked, flag = _kept_back(scope, at, wanted.name, users)

    def carry_out() -> None:
        for service in services:
            remove_service(scope.observed[scope.manager].host, service)
            wait_for_tasks_to_end([at.host], service)
        for name in ours:
            remove_container(at.host, name)
        remove_volume(at.host, wanted.name)
        _create(at, wanted)

    stop = [["docker", "service", "rm", service] for service in services]
    stop += [["docker", "rm", "--force", "--volumes", *ours]] if ours else []
    keeps = "" if holds_data(found) else f"; nothing is lost: {remote_data(found)}"
    return Change(
        key=Key(at.name, "volume", wanted.name),
        action="replace",
        reason=told(differing) + keeps,
        command=shell(*stop, ["docker", "volume", "rm", wanted.name], wanted.command),
        carry_out=carry_out,
        differences=differing,
        needs=needs,
        blocked=blocked,
        flag=flag,
    )


def _kept_back(scope: Scope, at: Observed, name: str, users: dict[str, Json]) -> tuple[str, str]:
    """Why a volume must not be replaced, and the flag that would allow it; empty when it may."""
    if foreign := foreign_users(at, users):
        return f"{foreign}, which clusterlab did not make, uses it: remove that first, by hand", ""
    if any(is_task(one) for one in users.values()) and scope.manager not in scope.observed:
        return f"a Swarm service uses it, and {scope.manager}, which manages the Swarm, does not answer", ""
    if scope.allow_data_loss:
        return "", ""
    if holds_data(at.volumes[name]):
        return f"its options can only be changed by making it anew, and the data in volume {name} would be lost", FLAG
    losses = [text for user, one in users.items() if (text := loses_anonymous(user, one))]
    return "; ".join(losses), FLAG if losses else ""


def _create(at: Observed, wanted: WantedVolume) -> None:
    with engine(at.host, f"create volume {wanted.name}") as api:
        api.create_volume(wanted.name, driver=wanted.driver, driver_opts=wanted.options, labels=wanted.labels)
