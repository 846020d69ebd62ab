"""Configs and secrets of plays, in the Swarm.

What one holds cannot be changed: other content means remove and create, around the services of ours that use it. Its
labels can. A secret cannot be read, but compared: see stack_view.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import docker

from clusterlab.model.swarm_files import SwarmFile
from clusterlab.stacks.files_of_play import file_object
from clusterlab.stacks.given import Content
from clusterlab.stacks.service_specs import Spec
from clusterlab.stacks.specs import file_spec

from . import service_ends
from .base import HIDDEN, LABEL_PLAY, SWARM, Change, Difference, Key
from .compare import describe, differences
from .engine_calls import engine, shell
from .labelled import LabelledKind
from .labels import labels_for, not_ours, own_labels
from .observed import Json, Observed, labels_of
from .scope import MANAGERS, Scope, SwarmView, Wants
from .service_files import used
from .stack_objects import create_file, file_command, relabel
from .stack_view import StackObject, config_content, has_content

_FIXED = ("file", "template_driver")
"""What of one cannot change."""


@dataclass(frozen=True)
class WantedFile:
    """A config or secret as it should be."""

    name: str
    content: Content
    spec: Spec = field(repr=False)  # what the engine is sent, without the name
    path: Path


def wanted_file(lab: str, play: str, name: str, one: SwarmFile) -> WantedFile:
    """What a play's config or secret means; no label says anything of its content."""
    labels = labels_for(lab, play, [one.template_driver, one.labels], one.labels)
    content = Content(one.data)
    return WantedFile(name, content, file_spec(file_object(name, one, content), labels), one.path)


class FileKind(LabelledKind[WantedFile]):
    """Configs of the Swarm, or its secrets."""

    def __init__(self, name: str) -> None:
        self.name = name

    def wanted(self, wants: Wants) -> Mapping[Key, WantedFile]:
        return {
            Key(SWARM, self.name, name): wanted_file(wants.lab.name, title, name, one)
            for title, play in wants.plays()
            for name, one in getattr(play, f"{self.name}s").items()
        }

    def manual(self, wanted: WantedFile) -> str:
        return file_command(self.name, wanted.name, wanted.spec, self.file_name(wanted))

    def file(self, wanted: WantedFile) -> Path | None:
        return wanted.path

    def file_name(self, wanted: WantedFile) -> str:
        """Several may have the same file, or files of the same name."""
        return f"{self.name}-{wanted.name}"

    def _command(self, wanted: WantedFile) -> str:
        """What creates one from the file where it lies."""
        return file_command(self.name, wanted.name, wanted.spec, wanted.path.name)

    def observe(self, scope: Scope) -> Mapping[Key, Json]:
        return {
            Key(swarm, self.name, one["Spec"]["Name"]): one
            for swarm, view in scope.swarms.items()
            for one in (view.configs if self.name == "config" else view.secrets)
        }

    def changes(self, wants: Wants, scope: Scope) -> Iterator[Change]:
        """A manager is asked only where plays have some, or services of theirs still use one."""
        view = scope.swarm
        services = view.services.values() if view else ()
        ours = (one for one in services if self.owns(scope.name, one) and self.play(one) in wants.lab.plays)
        if self.wanted(wants) or any(self._used(one) for one in ours):
            yield from super().changes(wants, scope)

    def differences(self, wanted: WantedFile, found: Json) -> Sequence[Difference]:
        """What is not as wanted, but for the content of a secret, which only its manager can compare."""
        labels, spec = labels_of(found), found["Spec"]
        content = self.name != "config" or config_content(found) == wanted.content
        return [
            *([] if content else [_CONTENT]),
            *differences("", {"template_driver": _template(wanted.spec)}, {"template_driver": _template(spec)}),
            *differences("labels", own_labels(wanted.spec["Labels"]), own_labels(labels)),
            *differences("", {"play": wanted.spec["Labels"][LABEL_PLAY]}, {"play": labels.get(LABEL_PLAY)}),
        ]

    def change(self, wants: Wants, scope: Scope, key: Key, wanted: WantedFile, found: Json | None) -> Change | None:
        at = scope.at(key)
        if found is None or not self.owns(scope.name, found):
            return Change(
                key=key,
                action="create",
                reason="another one of that name exists" if found else "it does not exist",
                command=self._command(wanted),
                carry_out=partial(self._create, at, wanted),
                needs=frozenset({MANAGERS}),
                blocked=not_ours(self.name, key.name, labels_of(found), f"docker {self.name} rm {key.name}")
                if found
                else "",
                where=at.name,
            )
        differing = tuple(self.differences(wanted, found))
        if self.name == "secret" and not has_content(at.host, found["ID"], wanted.content, key.name):
            differing = (_CONTENT, *differing)
        if any(one.name in _FIXED for one in differing):
            return self._replacement(scope, key, wanted, found, differing)
        return self._relabelled(at, key, wanted, found, differing) if differing else None

    def _relabelled(
        self, at: Observed, key: Key, wanted: WantedFile, found: Json, differing: tuple[Difference, ...]
    ) -> Change:
        """Docker has no command for it."""
        return Change(
            key=key,
            action="update",
            reason=describe(differing),
            command="",
            carry_out=partial(relabel, at, StackObject(self.name, key.name, found), wanted.spec["Labels"]),
            differences=differing,
            needs=frozenset({MANAGERS}),
            where=at.name,
        )

    def _replacement(
        self, scope: Scope, key: Key, wanted: WantedFile, found: Json, differing: tuple[Difference, ...]
    ) -> Change:
        at, view = scope.at(key), scope.swarms[key.host]
        services = self._users(view, found)
        loses = "; ".join(service_ends.losses(scope, services)) if scope.data_flag else ""
        foreign = self._used_by_others(scope, key, found)

        def carry_out() -> None:
            service_ends.end(scope, key, services)
            self._remove(at, found)
            self._create(at, wanted)

        remove = shell(["docker", self.name, "rm", key.name])
        return Change(
            key=key,
            action="replace",
            reason=describe(differing),
            command=" && ".join([*service_ends.commands(scope, key, services), remove, self._command(wanted)]),
            carry_out=carry_out,
            differences=differing,
            needs=frozenset({MANAGERS}),
            blocked=foreign or loses,
            flag="" if foreign or not loses else scope.data_flag,
            where=at.name,
            takes=service_ends.keys(key, services),
        )

    def remove(self, scope: Scope, key: Key, found: Json, reason: str) -> Change:
        at, ending = scope.at(key), _ending(scope, key)
        return Change(
            key=key,
            action="remove",
            reason=reason,
            command=shell(["docker", self.name, "rm", key.name]),
            carry_out=partial(self._remove, at, found),
            needs=service_ends.keys(key, self._users(scope.swarms[key.host], found)) | ending | {MANAGERS},
            blocked=self._used_by_others(scope, key, found),
            where=at.name,
        )

    def _create(self, at: Observed, wanted: WantedFile) -> None:
        create_file(self.name, wanted.name, wanted.spec, at)

    def _remove(self, at: Observed, found: Json) -> None:
        with engine(at.host, f"remove {self.name} {found['Spec']['Name']}") as api:
            try:
                getattr(api, f"remove_{self.name}")(found["ID"])
            except docker.errors.NotFound:
                return

    def _used(self, service: Json) -> list[str]:
        """The ids of those that a service uses."""
        container = service["Spec"]["TaskTemplate"].get("ContainerSpec") or {}
        return [str(one[f"{self.name.capitalize()}ID"]) for one in used(container, self.name)]

    def _users(self, view: SwarmView, found: Json) -> list[str]:
        return [name for name, one in view.services.items() if found["ID"] in self._used(one)]

    def _used_by_others(self, scope: Scope, key: Key, found: Json) -> str:
        """Which services use one that no play of the lab has, and that stay; "" for none."""
        view, ending = scope.swarms[key.host], {one.name for one in _ending(scope, key)}
        users = [name for name in self._users(view, found) if name not in ending]
        others = [name for name in users if not self.owns(scope.name, view.services[name])]
        if not others:
            return ""
        remedy = shell(["docker", "service", "rm", *others])
        return f"service {', '.join(others)}, which no play of this lab has, uses it: remove that first ({remedy})"


def _ending(scope: Scope, key: Key) -> frozenset[Key]:
    """The services of stacks that are removed too."""
    return frozenset(
        one
        for one, change in scope.pending.items()
        if one.kind == "stack service" and one.host == key.host and change.action == "remove"
    )


def _template(spec: Json) -> str:
    return str((spec.get("Templating") or {}).get("Name") or "")


_CONTENT = Difference("file", HIDDEN, HIDDEN)
CONFIG, SECRET = FileKind("config"), FileKind("secret")
