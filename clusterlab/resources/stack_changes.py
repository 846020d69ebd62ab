"""What converges one stack.

The changes that `docker stack deploy` would make, and no others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from clusterlab.stacks.service_specs import Spec
from clusterlab.stacks.specs import stack_specs
from clusterlab.stacks.stack import Stack

from .base import SWARM, Change, Difference, Key
from .compare import differences
from .engine_calls import shell
from .images import coming_id
from .labels import own_labels
from .observed import labels_of
from .removal import service_losses
from .restarts import effect_of, may_end_tasks
from .scope import MANAGERS, Scope, Wants
from .service_converge import WEIGHT
from .service_modes import is_job
from .stack_fields import Path
from .stack_objects import create_file, create_network, file_command, network_command, network_drift, relabel
from .stack_removal import removal
from .stack_services import Deployment, digest_of, service_differences, wanted_spec
from .stack_view import Deployed, StackObject, object_key, refusals

NAME = "stack"


def deploy_command(stack: Stack, *options: str) -> str:
    """What a person types in the folder of the stack's files."""
    files = [word for file in stack.files for word in ("--compose-file", file)]
    return shell(["docker", "stack", "deploy", *options, *files, stack.name])


class StackChanges:
    """What converges one stack."""

    def __init__(self, wants: Wants, scope: Scope, found: Deployed) -> None:
        self._wants = wants
        self._scope = scope
        self._found = found
        self._stack = found.stack
        self._at = found.view.at
        self._specs = stack_specs(found.stack)
        self._deploying = wants.deploying
        self._resolve = wants.deploying.resolve(wants.lab.inventory.kind.foreign)
        auth = ["--with-registry-auth"] if wants.deploying.registry_auth else []
        self._command = deploy_command(found.stack, "--resolve-image", self._resolve, *auth)
        self._others = "" if wants.deploying.adopt or not found.is_others(scope.name) else (
            f"somebody else deployed the stack {found.stack.name}: it is not changed. --adopt allows it"
        )  # fmt: skip
        self._first = frozenset({MANAGERS, Key(SWARM, NAME, found.stack.name)})

    def changes(self) -> Iterator[Change]:
        """Everything that is to be changed.

        Nothing else is done where the Swarm would refuse the stack.
        """
        planned = list(self._planned())
        shown = self._is_what_docker_does(planned)
        for change in planned:
            yield change if shown or change.command != self._command else replace(change, command="")

    def _is_what_docker_does(self, planned: Sequence[Change]) -> bool:
        """Whether Docker's client would make these changes, and no other.

        It makes blocked ones, too, takes images from registries alone, and runs jobs again that have not changed.
        """
        services = self._stack.services.values()
        keys = {change.key for change in planned}
        stands_in = any(one.image and one.image.value in self._wants.images for one in services)
        jobs = {one.name for one in self._found.own if one.kind == "service" and is_job(one.listed["Spec"])}
        again = any(
            self._stack.scoped(one.name) in jobs
            and object_key(SWARM, "service", self._stack.scoped(one.name)) not in keys
            for one in services
        )
        return not (stands_in or again or any(change.blocked for change in planned))

    def _planned(self) -> Iterator[Change]:
        coming = self._coming()
        if problems := refusals(self._found, coming):
            yield self._refused([str(problem) for problem in problems])
        pruned = list(self._pruned())
        yield from pruned
        objects = [*self._networks(), *self._files("secret", self._specs.secrets)]
        objects += self._files("config", self._specs.configs)
        yield from objects
        before = frozenset(change.key for change in (*pruned, *objects)) | coming
        yield from self._services(before)

    def _coming(self) -> frozenset[Key]:
        """What plays have of the stack's external networks, configs and secrets, and what is created before it."""
        stack = self._stack
        external = {Key(SWARM, "network", stack.scoped_network(key)) for key in stack.used_networks()}
        for kind, files in (("config", stack.configs), ("secret", stack.secrets)):
            external |= {Key(SWARM, kind, stack.scoped(one)) for one in files.values() if one.external}
        pending = self._scope.pending
        return frozenset(key for key in external if key in pending and pending[key].action != "remove")

    def _refused(self, problems: Sequence[str]) -> Change:
        return Change(
            key=Key(SWARM, NAME, self._stack.name),
            action="deploy",
            reason="the Swarm would refuse it",
            command="",
            carry_out=lambda: None,  # never called: the change is blocked
            blocked="\n".join(problems),
            where=self._at.name,
        )

    def _pruned(self) -> Iterator[Change]:
        for one in not_in_files(self._found):
            key = object_key(SWARM, "service", one.name)
            if self._deploying.prune:
                change = removal(self._scope, key, one, "it is not in the stack's files", self._first)
                mine = one.is_of(self._scope.name) or self._deploying.adopt
                yield change if mine else replace(change, blocked=self._others or _not_mine(one), flag="")
            else:
                self._say(f"service {one.name} is not in its files and stays; --prune removes it")

    def _networks(self) -> Iterator[Change]:
        for name, spec in self._specs.networks.items():
            found = self._found.get("network", name)
            if found is None:
                yield self._create(
                    "network", name, spec, network_command(name, spec), partial(create_network, name, spec)
                )
            elif drift := network_drift(spec, found):
                self._say(f"network {name} exists and stays as it is: {'; '.join(map(str, drift))}")

    def _files(self, kind: str, specs: Mapping[str, Spec]) -> Iterator[Change]:
        for name, spec in specs.items():
            found = self._found.get(kind, name)
            if found is None:
                yield self._create(
                    kind, name, spec, file_command(kind, name, spec), partial(create_file, kind, name, spec)
                )
                continue
            labels = own_labels(labels_of(found.listed))
            differing = tuple(differences("labels", spec.get("Labels", {}), labels))
            if differing or (self._deploying.adopt and not found.is_of(self._scope.name)):
                yield self._change(
                    found, "update" if differing else "adopt", "its labels change", differing,
                    partial(relabel, self._at, found, spec.get("Labels", {})),
                )  # fmt: skip

    def _services(self, needs: frozenset[Key]) -> Iterator[Change]:
        deployment = Deployment(
            self._at,
            self._stack,
            self._resolve,
            self._deploying.registry_auth,
            self._deploying.adopt,
            self._scope.progress,
        )
        networks = self._found.view.network_names
        for service in self._stack.services.values():
            name = self._stack.scoped(service.name)
            image, needed = self._image(service.image.value if service.image else "")
            found = self._found.get("service", name)
            if found is None:
                yield self._create_service(name, needs | needed, partial(deployment.create, service, image))
                continue
            coming = coming_id(self._wants, self._scope, self._at, service.image.value) if image else ""  # type: ignore[union-attr]
            spec = wanted_spec(self._stack, service, coming or image)
            digest = self._digest(spec) if self._resolve == "always" and not image else ""
            differing = service_differences(spec, found, networks, digest)
            if differing or (self._deploying.adopt and not found.is_of(self._scope.name)):
                update = partial(deployment.update, service, image, found)
                reason = _why(spec, differing)
                action = "update" if differing else "adopt"
                change = self._change(found, action, reason, tuple(differing.values()), update, needs | needed)
                yield self._held_back(change) if may_end_tasks(spec, differing) else change

    def _held_back(self, change: Change) -> Change:
        """A change that ends tasks.

        Blocked when they keep data in volumes without a name.
        """
        loses = service_losses(self._scope, change.key.name) if self._scope.data_flag else ""
        if change.blocked or not loses:
            return change
        return replace(change, blocked=loses, flag=self._scope.data_flag)

    def _image(self, written: str) -> tuple[str, frozenset[Key]]:
        """The tag by which hosts know the image that a stack refers to; "" for none.

        An image of the inventory.
        """
        if written not in self._wants.images:
            return "", frozenset()
        hosts = self._wants.lab.inventory.swarm_hosts
        return self._wants.tag(written), frozenset(Key(host, "image", written) for host in hosts)

    def _digest(self, spec: Spec) -> str:
        image = str(spec["TaskTemplate"]["ContainerSpec"]["Image"])
        return "" if "@" in image else digest_of(self._at.host, image)

    def _create_service(self, name: str, needs: frozenset[Key], create: partial[None]) -> Change:
        return Change(
            key=object_key(SWARM, "service", name),
            action="create",
            reason="it does not exist",
            command=self._command,
            carry_out=create,
            needs=self._first | needs,
            blocked=self._others,
            where=self._at.name,
            weight=WEIGHT,
        )

    def _create(self, kind: str, name: str, spec: Spec, command: str, create: partial[None]) -> Change:
        return Change(
            key=object_key(SWARM, kind, name),
            action="create",
            reason="it does not exist",
            command=command,
            carry_out=partial(create, self._at),
            needs=self._first,
            blocked=self._others,
            where=self._at.name,
        )

    def _change(
        self,
        found: StackObject,
        action: str,
        reason: str,
        differing: tuple[Difference, ...],
        carry_out: partial[None],
        needs: frozenset[Key] = frozenset(),
    ) -> Change:
        mine = found.is_of(self._scope.name) or self._deploying.adopt
        return Change(
            key=object_key(SWARM, found.kind, found.name),
            action=action,
            reason=reason if differing else "somebody else deployed it; it becomes the lab's",
            command=self._command if differing else "",
            carry_out=carry_out,
            differences=differing,
            needs=self._first | needs,
            blocked="" if mine else self._others or _not_mine(found),
            where=self._at.name,
        )

    def _say(self, text: str) -> None:
        self._scope.progress.say(f"stack {self._stack.name}", text)


def not_in_files(found: Deployed) -> list[StackObject]:
    """The services of a stack that its files do not have."""
    names = {found.stack.scoped(service.name) for service in found.stack.services.values()}
    return [one for one in found.own if one.kind == "service" and one.name not in names]


def _why(spec: Spec, differing: Mapping[Path, Difference]) -> str:
    names = ", ".join(sorted(one.name for one in differing.values()))
    return f"{names} {'differs' if len(differing) == 1 else 'differ'}; {effect_of(spec, differing)}"


def _not_mine(found: StackObject) -> str:
    return f"{found.kind} {found.name} was not deployed by clusterlab: it is not changed. --adopt allows it"
