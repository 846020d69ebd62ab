"""Stacks as `docker stack deploy` creates them: same names, labels and specs.

`docker stack ls`, `ps` and `rm` see what is deployed here, and a stack that Docker's client deployed is compared with
its files. Networks that exist are left as they are, configs and secrets never change, volumes are made by the tasks.
clusterlab's own labels stand on services, networks, configs and secrets, where Docker's client neither compares them
nor restarts a task for them; containers and volumes have none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from clusterlab.stacks.needs import why_stack_cannot_run
from clusterlab.stacks.stack import Stack

from .base import SWARM, Change, Difference, Key, Skipped
from .kind import ResourceKind, skipped
from .observed import labels_of
from .scope import Scope, Wants
from .stack_changes import NAME, StackChanges, deploy_command
from .stack_removal import removal
from .stack_services import service_differences, wanted_spec
from .stack_view import KINDS, StackObject, deployed, object_key, objects


class StackKind(ResourceKind[Stack, StackObject]):
    """Stacks, each with the objects that it has in the Swarm."""

    name = NAME
    listings = frozenset({"networks", "images", "containers"})

    def wanted(self, wants: Wants) -> Mapping[Key, Stack]:
        stacks = [loaded.valid() for loaded in wants.lab.stacks.values()]
        return {Key(SWARM, self.name, stack.name): stack for stack in stacks}

    def left_out(self, wants: Wants) -> Iterator[Skipped]:
        for key, stack in self.wanted(wants).items():
            yield from skipped(key, why_stack_cannot_run(wants.lab, stack, wants.capabilities), wants)

    def manual(self, wanted: Stack) -> str:
        return deploy_command(wanted)

    def observe(self, scope: Scope) -> Mapping[Key, StackObject]:
        """Every service, config, secret and network of the Swarms, in removal order."""
        return {
            object_key(host, one.kind, one.name): one
            for host, view in scope.swarms.items()
            for one in sorted(objects(view), key=lambda one: KINDS.index(one.kind))
        }

    def differences(self, wanted: Stack, found: StackObject) -> Sequence[Difference]:
        """What distinguishes a service, as far as that follows from its spec alone."""
        service = next((one for one in wanted.services.values() if wanted.scoped(one.name) == found.name), None)
        if found.kind != "service" or service is None:
            return ()
        return list(service_differences(wanted_spec(wanted, service), found, {}).values())

    def change(self, wants: Wants, scope: Scope, key: Key, wanted: Stack, found: StackObject | None) -> Change | None:
        return next(iter(self._changes(wants, scope, wanted)), None)

    def changes(self, wants: Wants, scope: Scope) -> Iterator[Change]:
        for key, stack in self.wanted(wants).items():
            if scope.answers(key) and key not in wants.omitted:
                yield from self._changes(wants, scope, stack)

    def _changes(self, wants: Wants, scope: Scope, stack: Stack) -> Iterator[Change]:
        return StackChanges(wants, scope, deployed(scope.swarms[SWARM], stack)).changes()

    def owns(self, lab: str, found: StackObject) -> bool:
        return found.is_of(lab)

    def labels(self, found: StackObject) -> Mapping[str, str]:
        return labels_of(found.listed)

    def remove(self, scope: Scope, key: Key, found: StackObject, reason: str) -> Change | None:
        needs = {one for one in scope.pending if one.kind == object_key(key.host, "service", "").kind}
        return removal(scope, key, found, reason, frozenset() if found.kind == "service" else frozenset(needs))


STACK = StackKind()
