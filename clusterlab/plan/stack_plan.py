"""What else a plan says of a stack.

Restarts and their order, data at risk, and which node can take which tasks.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from clusterlab.errors import ClusterlabError
from clusterlab.remote import Host
from clusterlab.resources.base import SWARM, Key
from clusterlab.resources.candidates import Candidates, NodeState, candidates, node_states
from clusterlab.resources.restarts import Restart, at_risk, restart_of
from clusterlab.resources.scope import Scope, Wants
from clusterlab.resources.stack_changes import NAME, not_in_files
from clusterlab.resources.stack_objects import network_drift
from clusterlab.resources.stack_services import service_differences, wanted_spec
from clusterlab.resources.stack_view import Deployed, deployed
from clusterlab.stacks.advice import Advice
from clusterlab.stacks.advice.on_lab import advise_on_lab, paths_of
from clusterlab.stacks.load import Loaded
from clusterlab.stacks.specs import stack_specs
from clusterlab.stacks.stack import Stack


@dataclass(frozen=True)
class StackPlan:
    """What a deployment means for one stack, besides the changes."""

    name: str
    deployed_by: str  # "nobody", "this lab" or "somebody else"
    candidates: tuple[Candidates, ...]
    restarts: tuple[Restart, ...]
    at_risk: tuple[str, ...]
    not_in_files: tuple[str, ...]
    drift: tuple[str, ...]
    advice: tuple[Advice, ...]


def stack_plans(wants: Wants, scope: Scope) -> list[StackPlan]:
    """Of each stack of a lab that is not left out; reads only. None without a manager that answers."""
    if scope.swarm is None:
        return []
    loaded = [one for one in wants.lab.stacks.values() if Key(SWARM, NAME, one.name) not in wants.omitted]
    return [_plan(wants, scope, one) for one in loaded]


def _plan(wants: Wants, scope: Scope, loaded: Loaded) -> StackPlan:
    stack, view = loaded.valid(), scope.swarms[SWARM]
    found = deployed(view, stack)
    nodes = _nodes(scope, stack)
    names = {node.facts.node.id: node.name for node in nodes}
    chosen: list[Candidates] = []
    restarts: list[Restart] = []
    risks: list[str] = []
    for service in stack.services.values():
        image = wants.tag(service.image.value) if service.image and service.image.value in wants.images else ""
        spec = wanted_spec(stack, service, view.at.images.get(image, image))
        one = found.get("service", stack.scoped(service.name))
        now = one.listed["Spec"] if one else None
        chosen.append(candidates(stack, service, spec, now, nodes))
        if one is None or now is None:
            continue
        differing = service_differences(spec, one, view.network_names)
        tasks = [task for task in view.tasks if task.get("ServiceID") == one.id]
        restart = restart_of(one.name, spec, differing, tasks, names, chosen[-1].can)
        restarts += [restart] if restart else []
        risks += at_risk(one.name, spec, now, differing, chosen[-1].can)
    risks += [f"service {one.name} is not in the files" for one in not_in_files(found) if wants.deploying.prune]
    return StackPlan(
        stack.name,
        _deployed_by(scope.name, found),
        tuple(chosen),
        tuple(restarts),
        (*risks, *_external_volumes(scope, stack)),
        tuple(one.name for one in not_in_files(found)),
        tuple(_drift(found)),
        tuple(advise_on_lab(stack, [node.facts for node in nodes], loaded.muted)),
    )


def _deployed_by(lab: str, found: Deployed) -> str:
    if not found.own:
        return "nobody"
    return "somebody else" if found.is_others(lab) else "this lab"


def _drift(found: Deployed) -> Iterator[str]:
    for name, spec in stack_specs(found.stack).networks.items():
        network = found.get("network", name)
        for one in network_drift(spec, network) if network else []:
            yield f"network {name}: {one}"


def _external_volumes(scope: Scope, stack: Stack) -> Iterator[str]:
    """External volumes that nodes do not have: a task there would make an empty one."""
    used = {mount.source for service in stack.services.values() for mount in service.volumes}
    for volume in stack.volumes.values():
        if volume.external and volume.key in used:
            name = stack.scoped(volume)
            without = [at.name for at in scope.everywhere if at.info.get("Swarm") and name not in at.volumes]
            if without:
                yield f"the external volume {name} does not exist on {', '.join(without)}: a task there makes it, empty"


def _nodes(scope: Scope, stack: Stack) -> list[NodeState]:
    view = scope.swarms[SWARM]
    paths: dict[str, frozenset[str]] = {}
    images: dict[str, frozenset[str]] = {}
    by_id = {(at.info.get("Swarm") or {}).get("NodeID"): at for at in scope.everywhere}
    for state in node_states(view.nodes, (), {}, {}, {}):
        node = state.facts.node
        if at := by_id.get(node.id):
            images[node.id] = frozenset(at.images) | set(at.images.values())
            if wanted := sorted(paths_of(stack, node)):
                paths[node.id] = _existing(at.host, wanted)
    return node_states(view.nodes, view.tasks, view.services, images, paths)


def _existing(host: Host, paths: Sequence[str]) -> frozenset[str]:
    """Those of `paths` that exist on a host."""
    script = 'for path; do if [ -e "$path" ]; then echo "$path"; fi; done'
    try:
        answer = host.run(["sh", "-c", script, "sh", *paths], check=True)
    except ClusterlabError as error:
        raise ClusterlabError(f"{host.name}: cannot look for {shlex.join(paths)}", detail=error.message) from error
    return frozenset(answer.stdout.splitlines())
