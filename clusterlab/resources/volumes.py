"""Volumes.

`docker volume create` with the name of an existing volume returns that one and ignores all options, so every option
is compared with what the engine lists. A volume cannot be changed: another option means remove and create, around the
containers and services of ours that use it. A label alone is not a reason for that where a volume holds data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from clusterlab.model.needs import missing, volume_needs
from clusterlab.model.playbook import Volume

from .base import SWARM, Change, Command, Difference, Key, Skipped
from .compare import describe, differences
from .disks import needed_disk, with_device
from .engine_calls import engine, pairs, shell
from .kind import skipped
from .labelled import LabelledKind
from .labels import is_ours, labels_for, not_ours, own_labels
from .observed import Json, Observed, is_task, labels_of, service_id, service_of
from .ownership import with_owner
from .removal import (
    TaskWait,
    foreign_users,
    holds_data,
    is_taken,
    loses_anonymous,
    remote_data,
    remove_container,
    remove_service,
    remove_volume,
    removed_before,
    service_losses,
    users_of,
    wait_for_tasks_to_end,
)
from .report import Report
from .scope import Scope, Wants

_ANONYMOUS = "com.docker.volume.anonymous"  # a label that the engine itself gives


@dataclass(frozen=True)
class WantedVolume:
    """A volume as it should be on one host."""

    name: str
    driver: str
    options: dict[str, str]
    labels: dict[str, str]
    needs: frozenset[Key] = field(default=frozenset(), compare=False)

    @property
    def command(self) -> list[str]:
        words = ["docker", "volume", "create", "--driver", self.driver]
        return [*words, *pairs("--opt", self.options), *pairs("--label", self.labels), self.name]


def wanted_volume(lab: str, play: str, name: str, volume: Volume, needs: frozenset[Key] = frozenset()) -> WantedVolume:
    options = {key: str(value) for key, value in volume.driver_opts.items()}
    labels = labels_for(lab, play, [volume.driver, options, volume.labels], volume.labels)
    return WantedVolume(name, volume.driver, options, labels, needs)


class VolumeKind(LabelledKind[WantedVolume]):
    """Volumes on each of their hosts."""

    name = "volume"
    listings = frozenset({"volumes", "containers"})
    reports = (
        Report("volume", lambda engine, name: engine.inspect_volume(name)),
        Report(
            "volumes",
            lambda engine, name: {one["Name"]: one for one in engine.volumes()["Volumes"] or []},
            "docker volume ls",
        ),
    )

    def wanted(self, wants: Wants) -> Mapping[Key, WantedVolume]:
        return {
            Key(host, self.name, name): wanted_volume(
                wants.lab.name, play, name, with_device(wants.lab, one, volume), needed_disk(host, volume)
            )
            for play, one in wants.plays()
            for name, volume in one.volumes.items()
            for host in wants.lab.expand(volume.hosts)
        }

    def left_out(self, wants: Wants) -> Iterator[Skipped]:
        for _, play in wants.plays():
            for name, volume in play.volumes.items():
                for host in wants.lab.expand(volume.hosts):
                    need = missing(volume_needs(wants.lab, play, name, host), wants.capabilities)
                    yield from skipped(Key(host, self.name, name), need, wants)

    def manual(self, wanted: WantedVolume) -> str:
        return shell(wanted.command)

    def observe(self, scope: Scope) -> Mapping[Key, Json]:
        return {Key(at.name, self.name, name): one for at in scope.everywhere for name, one in at.volumes.items()}

    def differences(self, wanted: WantedVolume, found: Json) -> Sequence[Difference]:
        """Every option, the driver and the play's labels, as listed by the engine."""
        labels = {key: value for key, value in own_labels(labels_of(found)).items() if key != _ANONYMOUS}
        return [
            *differences("", {"driver": wanted.driver}, {"driver": found.get("Driver")}),
            *differences("driver_opts", wanted.options, found.get("Options") or {}),
            *differences("labels", own_labels(wanted.labels), labels),
        ]

    def change(self, wants: Wants, scope: Scope, key: Key, wanted: WantedVolume, found: Json | None) -> Change | None:
        at = scope.at(key)
        differing = tuple(self.differences(wanted, found)) if found else ()
        if found is None or not at.owns(found):
            return Change(
                key=key,
                action="create",
                reason="another one of that name exists" if found else "it does not exist",
                command=shell(wanted.command),
                carry_out=partial(_create, at, wanted),
                differences=differing,
                needs=wanted.needs,
                blocked=not_ours(self.name, wanted.name, labels_of(found), f"docker volume rm {wanted.name}")
                if found
                else "",
            )
        if not differing:
            return None
        if holds_data(found) and all(one.name.startswith("labels.") for one in differing):
            kept = f"volume {wanted.name} keeps its data and so its labels, which only a new volume can change"
            scope.progress.say(at.name, f"{kept}: {describe(differing)}")
            return None
        return _replacement(scope, at, key, wanted, found, differing)

    def owns(self, lab: str, found: Json) -> bool:
        return is_ours(lab, labels_of(found))

    def remove(self, scope: Scope, key: Key, found: Json, reason: str) -> Change:
        at = scope.at(key)
        users = at.containers_with(key.name)
        foreign = foreign_users(at, users)
        services = sorted({service_of(one) for one in users.values() if is_task(one)})
        waits = [TaskWait(service).command for service in services]
        blocked, flag = "", ""
        if foreign:
            blocked = f"{foreign}, which clusterlab did not create, uses it: remove that first"
        elif holds_data(found) and scope.data_flag:
            blocked, flag = f"the data in volume {key.name} would be lost", scope.data_flag
        return Change(
            key=key,
            action="remove",
            reason=reason if holds_data(found) else f"{reason}; {remote_data(found)}",
            command=" && ".join([*waits, shell(["docker", "volume", "rm", key.name])]),
            carry_out=partial(remove_volume, at.host, scope.name, key.name),
            needs=removed_before(scope, at, users),
            blocked=blocked,
            flag=flag,
        )


def _replacement(
    scope: Scope, at: Observed, key: Key, wanted: WantedVolume, found: Json, differing: tuple[Difference, ...]
) -> Change:
    users = at.containers_with(wanted.name)
    ours = sorted(name for name, one in users.items() if at.owns(one) and not is_task(one))
    ids = {service_of(one): service_id(one) for one in users.values() if at.owns(one) and is_task(one)}
    services = sorted(ids)
    blocked, flag = _kept_back(scope, at, found, users, services)
    manager = scope.swarm.at.host if scope.swarm else at.host

    def carry_out() -> None:
        for service in services:
            remove_service(manager, service, ids[service])
            wait_for_tasks_to_end([at.host], service)
        for name in ours:
            remove_container(at.host, name, users[name]["Id"])
        remove_volume(at.host, scope.name, wanted.name)
        _create(at, wanted)

    stop = [TaskWait(service).command for service in services]
    stop += [shell(["docker", "rm", "--force", "--volumes", *ours])] if ours else []
    keeps = "" if holds_data(found) else f"; nothing is lost: {remote_data(found)}"
    return Change(
        key=key,
        action="replace",
        reason=describe(differing) + keeps,
        command=" && ".join([*stop, shell(["docker", "volume", "rm", wanted.name], wanted.command)]),
        carry_out=carry_out,
        differences=differing,
        needs=wanted.needs,
        blocked=blocked,
        flag=flag,
        first=tuple(
            Command(manager.name, shell(["docker", "service", "rm", service]))
            for service in services
            if not is_taken(scope, Key(SWARM, "service", service))
        ),
        takes=users_of(at, users),
    )


def _kept_back(
    scope: Scope, at: Observed, found: Json, users: dict[str, Json], services: Sequence[str]
) -> tuple[str, str]:
    """Why a volume must not be replaced, and the flag that would allow it.

    Empty when it may.
    """
    if foreign := foreign_users(at, users):
        return f"{foreign}, which clusterlab did not create, uses it: remove that first", ""
    if services and scope.swarm is None:
        return "a Swarm service uses it, and no manager of the Swarm answers", ""
    if not scope.data_flag:
        return "", ""
    if holds_data(found):
        name = found["Name"]
        return f"its options can only be changed by recreating it, and the data in volume {name} would be lost", (
            scope.data_flag
        )
    losses = [text for user, one in users.items() if not is_task(one) and (text := loses_anonymous(user, one))]
    losses += [text for service in services if (text := service_losses(scope, service))]
    return "; ".join(losses), scope.data_flag if losses else ""


def _create(at: Observed, wanted: WantedVolume) -> None:
    with engine(at.host, f"create volume {wanted.name}") as api:
        api.create_volume(
            wanted.name, driver=wanted.driver, driver_opts=wanted.options, labels=with_owner(wanted.labels)
        )


VOLUME = VolumeKind()
