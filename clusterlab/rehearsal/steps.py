"""One host is changed as a careful operator does it.

Drained, changed, waited for, and given its tasks again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from clusterlab.capabilities import Capabilities
from clusterlab.errors import ClusterlabError
from clusterlab.faults import Scene
from clusterlab.model import Lab
from clusterlab.plan.apply import survey
from clusterlab.plan.graph import carry_out
from clusterlab.plan.provision import provision
from clusterlab.plan.report import Report
from clusterlab.progress import Progress
from clusterlab.resources import swarm_actions, swarm_nodes, swarm_tasks
from clusterlab.resources.base import SWARM, Change, Key
from clusterlab.resources.engine_calls import engine
from clusterlab.waiting import wait_until

from .machine import MACHINE, machine_changes
from .order import majority_remains, order
from .view import View, managers, view

_NODE_SECONDS = 180.0
_TASK_SECONDS = 240.0
_SWARM_KIND = "swarm"


@dataclass(frozen=True)
class Step:
    """What is changed on one host.

    `host` is "" for what belongs to the Swarm and for the plays' objects.
    """

    host: str
    changes: Sequence[Change] = field(default_factory=tuple)

    @property
    def drains(self) -> bool:
        """Whether the host gives its tasks away first.

        Not for what only its entry in the Swarm says.
        """
        return bool(self.host) and any(change.key.kind != _SWARM_KIND for change in self.changes)

    @property
    def title(self) -> str:
        """What is done, in a few words."""
        what = ", ".join(dict.fromkeys(f"{one.action} {one.key.kind} {one.key.name}" for one in self.changes))
        return f"{self.host or 'the Swarm'}: {what}"

    @property
    def of_machine(self) -> tuple[Change, ...]:
        """What is changed of the machine itself: it comes first, and alone."""
        return tuple(one for one in self.changes if one.key.kind == MACHINE)

    @property
    def goes_on(self) -> str:
        """What a person does when it could not be carried out."""
        return _ON_MACHINE if self.of_machine else _ON


class StepFailed(ClusterlabError):
    """A step could not be carried out; the hosts are between the two inventories."""


def steps(lab: Lab, scene: Scene, unsupported: Capabilities) -> Iterator[Step]:
    """The hosts that an inventory changes, each when its turn comes.

    What earlier steps did counts; nothing comes twice where they are only shown.
    """
    inventory = lab.inventory
    seen: set[Key] = set()
    leader = managers(scene)[1] if inventory.with_role("swarm_manager") else ""
    for host in order(inventory, leader):
        changes = [one for one in provision(lab, scene.hosts, unsupported) if one.key.host == host]
        changes = [*machine_changes(lab, scene, host), *changes]
        seen |= {one.key for one in changes}
        if changes:
            yield Step(host, tuple(changes))
    rest = [one for one in provision(lab, scene.hosts, unsupported) if one.key not in seen]
    if rest:
        yield Step("", tuple(rest))
    if lab.plays and (changes := survey(lab, scene.hosts, unsupported=unsupported).changes):
        yield Step("", tuple(changes))


def take(step: Step, lab: Lab, scene: Scene, unsupported: Capabilities, before: View) -> None:
    """Carry out a step. Raises StepFailed, with how to go on."""
    try:
        _take(step, lab, scene, unsupported, before)
    except StepFailed:
        raise
    except ClusterlabError as error:
        raise StepFailed(f"{step.title}: {error.message}", remedy=step.goes_on, detail=error.detail) from error


_ON = (
    "Correct what is wrong and run the same command again: it goes on with this host. `clusterlab provision` with "
    "today's inventory goes back."
)
_ON_MACHINE = (
    "Correct what is wrong and run the same command again: it goes on with this host. `clusterlab rehearse --stay` "
    "from the changed inventory to today's goes back."
)


def _take(step: Step, lab: Lab, scene: Scene, unsupported: Capabilities, before: View) -> None:
    in_swarm = step.host in lab.inventory.swarm_hosts
    if in_swarm and step.drains:
        _require_majority(scene, step.host)
        _drain(scene, step.host)
    _converge(step, step.of_machine or step.changes, scene.progress)
    if in_swarm and step.of_machine:
        _await_ready(scene, step.host)
    if step.host:  # a drained node gets its availability again, and what the first changes made possible follows
        again = [one for one in provision(lab, scene.hosts, unsupported) if one.key.host == step.host]
        _converge(step, again, scene.progress)
    if in_swarm:
        _await_ready(scene, step.host)
    missing: list[str] = []

    def all_run() -> bool:
        now = view(scene)
        missing[:] = [name for name in before.tasks if now.running(name) < before.running(name)]
        return not missing

    with scene.progress.task(step.host or SWARM, "waiting for the tasks"):
        wait_until(
            all_run, "as many tasks to run as before", _TASK_SECONDS, seen=lambda: f"too few of {', '.join(missing)}"
        )


def _converge(step: Step, changes: Sequence[Change], progress: Progress) -> None:
    report: Report = carry_out(changes, progress)
    if report.interrupted:
        raise KeyboardInterrupt
    if not report.ok:
        wrong = [f"{one.change.key}: {one.error.message}" for one in report.failed]
        wrong += [f"{one.key}: {one.blocked}" for one in report.blocked]
        raise StepFailed(f"{step.title}: {'; '.join(wrong)}", remedy="\n".join([*report.next_steps(), step.goes_on]))


def _require_majority(scene: Scene, host: str) -> None:
    reachable, _ = managers(scene)
    if host in reachable and not majority_remains(reachable, host):
        raise ClusterlabError(
            f"without {host} the managers {', '.join(reachable)} have no majority",
            remedy="Bring the others back first.",
        )


def _drain(scene: Scene, host: str) -> None:
    node = _node(scene, host)
    with scene.progress.task(host, "draining"):
        swarm_actions.set_availability(scene.manager, node, "drain")

        def empty() -> bool:
            with engine(scene.manager, f"list the tasks of {host}") as api:
                tasks = api.tasks(filters={"node": node})
            return not any(task["Status"]["State"] == "running" for task in tasks)

        wait_until(empty, "its tasks to end", _TASK_SECONDS, subject=host)


def _await_ready(scene: Scene, host: str) -> None:
    with scene.progress.task(host, "waiting for the node"):
        wait_until(lambda: _is_ready(scene, host), "the node to be Ready", _NODE_SECONDS, subject=host)


def _is_ready(scene: Scene, host: str) -> bool:
    try:
        node = swarm_nodes.by_id(swarm_nodes.list_nodes(scene.manager), _node(scene, host))
        return node is not None and swarm_nodes.state(node) == "ready"
    except ClusterlabError:
        return False  # an engine that has just been started


def _node(scene: Scene, host: str) -> str:
    names = swarm_tasks.hosts_of_nodes(scene.manager, scene.lab.inventory)
    node = next((id for id, name in names.items() if name == host), "")
    if not node:
        raise ClusterlabError(f"{host} is not in the Swarm")
    return node
