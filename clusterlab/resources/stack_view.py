"""Stacks as the Swarm has them.

What belongs to which, whose it is, and what refuses a deployment.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from clusterlab.docker_labels import STACK
from clusterlab.errors import HostError
from clusterlab.model.problems import Problem
from clusterlab.remote import Host
from clusterlab.stacks.at_plan import Existing, ExistingService, refused_at_plan
from clusterlab.stacks.given import Content
from clusterlab.stacks.service_rules import PublishedPort
from clusterlab.stacks.stack import Stack

from .base import Key
from .engine_calls import engine
from .labels import is_ours
from .observed import Json, labels_of
from .scope import SwarmView
from .service_modes import mode_of
from .spec_calls import refusal

KINDS = ("service", "config", "secret", "network")
"""In the order in which they are removed."""
_SAME, _DIFFERENT = "out of sequence", "only updates to Labels"
_OTHER = Content(b"\0")  # of a secret that is not the stack's: no reader ever sees it


@dataclass(frozen=True)
class StackObject:
    """A service, network, config or secret of the Swarm."""

    kind: str
    name: str
    listed: Json

    @property
    def id(self) -> str:
        return str(self.listed.get("ID") or self.listed.get("Id"))

    @property
    def stack(self) -> str:
        """The stack that it belongs to; "" for none."""
        return str(labels_of(self.listed).get(STACK, ""))

    def is_of(self, lab: str) -> bool:
        """Whether clusterlab deployed it for a lab."""
        return bool(self.stack) and is_ours(lab, labels_of(self.listed))


def objects(view: SwarmView) -> Iterator[StackObject]:
    """Every service, network, config and secret of a Swarm."""
    yield from (StackObject("service", name, one) for name, one in view.services.items())
    for kind, listed in (("config", view.configs), ("secret", view.secrets)):
        yield from (StackObject(kind, one["Spec"]["Name"], one) for one in listed)
    yield from (StackObject("network", name, one) for name, one in view.networks.items())


@dataclass(frozen=True)
class Deployed:
    """One stack in a Swarm.

    What there is of it, and everything else by kind and name.
    """

    view: SwarmView
    stack: Stack
    known: Mapping[tuple[str, str], StackObject]

    def get(self, kind: str, name: str) -> StackObject | None:
        """The object of that name, whoever it belongs to."""
        return self.known.get((kind, name))

    @property
    def own(self) -> list[StackObject]:
        """What carries the stack's name."""
        return [one for one in self.known.values() if one.stack == self.stack.name]

    def is_others(self, lab: str) -> bool:
        """Whether somebody else deployed the stack: none of its objects is the lab's."""
        return bool(self.own) and not any(one.is_of(lab) for one in self.own)


def deployed(view: SwarmView, stack: Stack) -> Deployed:
    return Deployed(view, stack, {(one.kind, one.name): one for one in objects(view)})


def refusals(found: Deployed, coming: Collection[Key] = ()) -> list[Problem]:
    """Why the stack cannot be deployed there.

    Nothing is touched while there is a reason. `coming` are networks, configs and secrets of the Swarm that are created
    before it.
    """
    return [*refused_at_plan(found.stack, _existing(found, coming)), *_taken_names(found)]


def _taken_names(found: Deployed) -> Iterator[Problem]:
    stack = found.stack
    for service in stack.services.values():
        one = found.get("service", stack.scoped(service.name))
        if one and one.stack != stack.name:
            whose = f"of the stack {one.stack}" if one.stack else "of no stack"
            yield service.place.problem(
                f"services.{service.name}: there is another service {one.name}, {whose}",
                f"Remove it (docker service rm {one.name}), or give this stack another name.",
            )


def _existing(found: Deployed, coming: Collection[Key]) -> Existing:
    view, stack = found.view, found.stack
    versions = [_version(one["Description"]["Engine"].get("EngineVersion", "")) for one in view.nodes]
    return Existing(
        networks={
            **{name: str(one.get("Scope")) for name, one in view.at.networks.items()},
            **{key.name: "swarm" for key in coming if key.kind == "network"},
        },
        configs={
            **{key.name: None for key in coming if key.kind == "config"},
            **{one["Spec"]["Name"]: config_content(one) for one in view.configs},
        },
        secrets={
            **{key.name: None for key in coming if key.kind == "secret"},
            **{one["Spec"]["Name"]: _secret_content(view.at.host, stack, one) for one in view.secrets},
        },
        services={name: _service(one["Spec"]) for name, one in view.services.items()},
        oldest_engine=min(versions, default=(99, 0)),
    )


def _version(text: str) -> tuple[int, int]:
    major, _, rest = text.partition(".")
    minor = rest.partition(".")[0]
    return (int(major), int(minor)) if major.isdigit() and minor.isdigit() else (99, 0)


def _service(spec: Json) -> ExistingService:
    ports = (spec.get("EndpointSpec") or {}).get("Ports") or []
    return ExistingService(
        mode_of(spec),
        frozenset(
            PublishedPort(
                one.get("PublishedPort") or 0, one.get("Protocol") or "tcp", one.get("PublishMode") or "ingress"
            )
            for one in ports
        ),
    )


def config_content(listed: Json) -> Content:
    """What a config of the Swarm holds."""
    return Content(base64.b64decode(listed["Spec"].get("Data") or ""))


def _secret_content(host: Host, stack: Stack, listed: Json) -> Content | None:
    """The content of the stack's file if the secret has the same.

    Something else if not; None for secrets of others.
    """
    name = listed["Spec"]["Name"]
    mine = next((one for one in stack.secrets.values() if not one.external and stack.scoped(one) == name), None)
    if mine is None or mine.content is None:
        return None
    return mine.content if has_content(host, listed["ID"], mine.content, name) else _OTHER


def has_content(host: Host, secret: str, wanted: Content, name: str) -> bool:
    """Whether a secret of the Swarm has the content of a file.

    Nobody can read it, but it can be compared.

    An update of a version that never existed is refused in any case: because the content differs (which is looked at
    first), or else because of the version. Source: UpdateSecret in swarmkit's manager/controlapi/secret.go.
    """
    body = {"Name": name, "Data": base64.b64encode(wanted.data).decode()}
    with engine(host, f"compare the secret {name}") as api:
        refused = refusal(api, f"/secrets/{secret}/update", body, version="0")
    if not any(words in refused for words in (_SAME, _DIFFERENT)):
        raise HostError(host.name, f"cannot compare the secret {name}: {refused}")
    return _SAME in refused


def object_key(host: str, kind: str, name: str) -> Key:
    """The key of an object of a stack."""
    return Key(host, f"stack {kind}", name)
