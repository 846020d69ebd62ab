"""tasks: how many tasks of a service run, where, and in which state.

Whether they stay up, how long they took to start, and whether they are healthy.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal

from pydantic import Field

from clusterlab.docker_labels import SERVICE
from clusterlab.model.base import Duration, Issue, Model
from clusterlab.model.kinds import Touched
from clusterlab.model.playbook import Play
from clusterlab.model.problems import Problem, listed
from clusterlab.model.source import KeyPath
from clusterlab.model.validate.files import Files, PlayFile
from clusterlab.model.validate.probes import unknown_service
from clusterlab.parallel import parallel, results_of
from clusterlab.resources.swarm_jobs import of_last_run
from clusterlab.stacks.constraints import parse_constraint

from ..finding import Finding, finding, unasked
from ..kind import CheckKind
from ..manual.line import Line
from ..manual.where import Where
from ..places import Places
from ..swarm_task import outside, service_report
from ..task_view import SHOWN, TaskView, as_node, constraints_of, has_failed, name_of, state_of, time_of, why_not

_STEADY = 10.0  # seconds that a task must have run after one before it has failed
_LONGEST = 600.0  # seconds after which a task counts as steady, however long its predecessors ran


class TasksProbe(Model):
    """The tasks of a service, as the Swarm's managers report them."""

    service: str
    running: int | Literal["each"] | None = Field(
        default=None, description="how many must run; each: one on each active node that its constraints match"
    )
    completed: int | Literal["each"] | None = Field(
        default=None,
        description="how many tasks of a job must have ended with exit code 0, in its last run; each: one on each "
        "active node that its constraints match",
    )
    steady: Literal[True] | None = Field(
        default=None, description="none fails repeatedly: after a failure, the next task has run for long enough"
    )
    started: Duration | None = Field(
        default=None, description="each that runs was running this long after it was created, by the managers' clocks"
    )
    constraints: list[str] = Field(
        default_factory=list,
        description="as in deploy.placement: each task's node must match them",
        examples=[["node.role == worker"]],
    )
    most_per_node: int | None = Field(default=None, ge=1, description="no node runs more")
    healthy: Literal[True] | None = Field(default=None, description="the health check of each task reports healthy")

    def issues(self) -> Iterator[Issue]:
        given = self.given("running", "completed", "steady", "started", "most_per_node", "healthy")
        if not given and not self.constraints:
            remedy = "Add running:, completed:, steady: true, started:, constraints:, most_per_node: or healthy: true."
            yield Issue((), "this names a service but asserts nothing", remedy)
        for index, text in enumerate(self.constraints):
            try:
                parse_constraint(text)
            except ValueError as error:
                yield Issue(("constraints", index), f"'{text}' is not a constraint: {error}")


class Tasks(CheckKind[TasksProbe]):
    name = "tasks"
    model = TasksProbe

    def problems(self, files: Files, file: PlayFile, path: KeyPath, probe: TasksProbe) -> Iterator[Problem]:
        if probe.service not in file.play.known_services:
            yield unknown_service(file, (*path, "service"), probe.service)

    def touches(self, probe: TasksProbe) -> Touched:
        return Touched(services=frozenset({probe.service}))

    def asks(self, probe: TasksProbe, play: Play) -> Literal["place", "engine", "manager"]:
        return "manager"

    def ask(self, probe: TasksProbe, places: Places) -> list[Finding]:
        """One finding for each thing that is stated."""
        report = service_report(probe.service, places)
        seen = TaskView(probe.service, places, report)
        findings = []
        if probe.running is not None:
            findings.append(_running(seen, probe.running))
        if probe.completed is not None:
            findings.append(_completed(seen, probe.completed))
        if probe.steady:
            findings.append(_steady(seen))
        if probe.started is not None:
            findings.append(_started(seen, probe.started))
        if probe.constraints:
            findings.append(_placed(seen, probe.constraints))
        if probe.most_per_node is not None:
            findings.append(_spread(seen, probe.most_per_node))
        return findings + (_healthy(seen) if probe.healthy else [])

    def manual(self, probe: TasksProbe, where: Where) -> Iterator[Line]:
        listed_ = shlex.join(["docker", "service", "ps", "--no-trunc", probe.service])
        running = f"{listed_} --filter desired-state=running --format '{{{{.CurrentState}}}}' | grep -c ^Running"
        some_run = f"[ $({running}) -ge 1 ]"  # of nothing, everything could be said
        manager = where.manager
        if probe.running is not None:
            number = "$(docker node ls --quiet | wc -l)" if probe.running == "each" else str(probe.running)
            wanted = "as many as there are nodes for it" if probe.running == "each" else f"{probe.running} tasks run"
            test = "-ge 1 ] && [ $found -le" if probe.running == "each" else "-eq"
            yield Line(manager, listed_, wanted, f'found=$({running}); [ "$found" {test} {number} ]')
        if probe.completed is not None:
            last_run = f"docker service ls --filter name={probe.service} --format '{{{{.Name}}}} {{{{.Replicas}}}}'"
            counted = f"{last_run} | sed -n 's/^{probe.service} .*(\\([0-9]*\\)\\/.* completed)$/\\1/p'"
            test = f'found=$({counted}); [ "${{found:-0}}" -ge {probe.completed} ]'
            wanted = f"({probe.completed}/{probe.completed} completed)"
            if probe.completed == "each":  # names of earlier tasks are indented
                last_run = f"docker service ps --format '{{{{.Name}}}} {{{{.CurrentState}}}}' {probe.service}"
                wanted = "Complete for each node"
                test = f"found=$({last_run} | grep -v '^ *[\\]_'); "
                test += '[ -n "$found" ] && ! echo "$found" | grep -v " Complete "'
            yield Line(manager, last_run, wanted, test)
        if probe.steady:
            failed = f"{listed_} --filter desired-state=shutdown --format '{{{{.CurrentState}}}}'"
            recent = r"grep -E '^(Failed|Rejected) ([0-9]+ seconds|less than a second|about a minute) ago'"
            test = f'{some_run} && ended=$({failed}) && ! echo "$ended" | {recent}'
            yield Line(manager, failed, "tasks run, and none failed within the last minute", test)
        if probe.started is not None:
            times = "docker inspect --format '{{.CreatedAt.Unix}} {{.UpdatedAt.Unix}}' "
            times += f"$({shlex.join(['docker', 'service', 'ps', '--quiet', '--filter', 'desired-state=running'])} "
            times += f"{shlex.quote(probe.service)})"
            late = f"{times} | awk '$2 - $1 > {probe.started:g} {{ exit 1 }}'"
            yield Line(
                manager,
                times,
                f"in each line the second number is at most {probe.started:g} more than the first",
                f"{some_run} && {late}",
            )
        if probe.constraints or probe.most_per_node:
            nodes = f"{listed_} --filter desired-state=running --format '{{{{.Node}}}}' | sort"
            wanted = f"only nodes that match {listed(probe.constraints)}" if probe.constraints else ""
            most = probe.most_per_node
            wanted += f"{' and ' if wanted and most else ''}{f'none more than {most} times' if most else ''}"
            yield Line(manager, nodes, wanted, _typed_nodes(nodes, probe))
        if probe.healthy:
            label = shlex.quote(f"label={SERVICE}={probe.service}")
            yield Line(manager, listed_, "tasks run", some_run)
            for host in where.lab.inventory.swarm_hosts:
                asked = f"docker ps --filter {label} --format '{{{{.Status}}}}'"
                proof = f'found=$({asked}) && {{ [ -z "$found" ] || ! echo "$found" | grep -v \'(healthy)\'; }}'
                yield Line(host, asked, "(healthy) in each line", proof)


KIND = Tasks()


def _running(seen: TaskView, wanted: int | str) -> Finding:
    tasks = seen.running
    if wanted == "each":
        nodes = seen.matching(constraints_of(seen.report))
        hosts = sorted(map(seen.host, tasks))
        missing = sorted(set(nodes) - set(hosts))
        found = f"runs on {listed(hosts)}" + (f", and not on {listed(missing)}" if missing else "")
        holds, expected = bool(nodes) and not missing, f"a task runs on each of {listed(nodes)}"
    else:
        found = f"{len(tasks)} of {wanted} tasks run"
        holds, expected = len(tasks) == wanted, f"{wanted} tasks run"
    return seen.finding(holds, expected, found + ("" if holds else why_not(seen)))


def _completed(seen: TaskView, wanted: int | str) -> Finding:
    done = [task for task in of_last_run(seen.report, seen.tasks) if task["Status"]["State"] == "complete"]
    if wanted == "each":
        nodes, hosts = seen.matching(constraints_of(seen.report)), {seen.host(task) for task in done}
        missing = sorted(set(nodes) - hosts)
        found = f"it is complete on {listed(sorted(hosts)) or 'no node'}"
        found += f", and not on {listed(missing)}{why_not(seen)}" if missing else ""
        return seen.finding(bool(nodes) and not missing, f"a task is complete on each of {listed(nodes)}", found)
    found = f"{len(done)} of {wanted} tasks are complete"
    holds = len(done) >= int(wanted)
    return seen.finding(holds, f"{wanted} tasks are complete", found + ("" if holds else why_not(seen)))


def _steady(seen: TaskView) -> Finding:
    """After a failure, a task that ran longer than those before it counts as steady."""
    wrong, shown = [], []
    for task in seen.wanted:
        slot = task.get("Slot") or task.get("NodeID")
        ended = [one for one in seen.tasks if (one.get("Slot") or one.get("NodeID")) == slot and has_failed(one)]
        age = seen.now - time_of(task["Status"]["Timestamp"])
        times = sorted(time_of(one["Status"]["Timestamp"]) for one in ended)
        gaps = [later - earlier for earlier, later in pairwise(times)]
        needed = min(max([_STEADY, *(1.5 * gap for gap in gaps)]), _LONGEST) if ended else 0.0
        last = max(ended, key=lambda one: time_of(one["Status"]["Timestamp"]), default=None)
        before = f", after {len(ended)} failed: {state_of(last)}" if last else ""
        if task["Status"]["State"] != "running":
            wrong.append(f"{name_of(task)} is {state_of(task)}{before}")
        elif age < needed:
            wrong.append(f"{name_of(task)} runs for {age:.0f} s{before}")
        else:
            shown.append(age)
    if not seen.wanted:
        wrong.append(f"it has no task{why_not(seen)}")
    found = "; ".join(wrong[:SHOWN]) or f"each has run for {min(shown):.0f} s or more"
    hint = f"`docker service logs {seen.service}` shows what they printed before they ended"
    return seen.finding(not wrong, "no task fails again and again", found, hint)


def _started(seen: TaskView, limit: float) -> Finding:
    """From the creation of each to what a manager last heard of it, which is that it runs.

    Both are times of managers; the time of the state itself is that of the node, whose clock may be wrong.
    """
    took = sorted(
        (
            (time_of(task["UpdatedAt"]) - time_of(task["CreatedAt"]), f"{name_of(task)} on {seen.host(task)}")
            for task in seen.running
        ),
        reverse=True,
    )
    slowest = listed(f"{name} after {seconds:.1f} s" for seconds, name in took[:SHOWN])
    found = f"{len(took)} tasks run, the last {slowest}" if took else f"no task runs{why_not(seen)}"
    return seen.finding(bool(took) and took[0][0] <= limit, f"each task ran within {limit:g} s of its creation", found)


def _placed(seen: TaskView, constraints: Sequence[str]) -> Finding:
    matching = seen.matching(constraints)
    parsed = [parse_constraint(text) for text in constraints]
    wrong = []
    for task in seen.running:
        node = seen.nodes.get(str(task.get("NodeID")))
        broken = [
            text
            for text, one in zip(constraints, parsed, strict=True)
            if node is None or not one.matches(as_node(node))
        ]
        if broken:
            wrong.append(f"{name_of(task)} is on {seen.host(task)}, which does not match {listed(broken)}")
    if not seen.running:
        wrong = [f"no task runs; nodes that match: {listed(matching)}{why_not(seen)}"]
    found = "; ".join(wrong) or f"they are on {listed(sorted({seen.host(task) for task in seen.running}))}"
    wanted = f"tasks are on nodes that match {listed(constraints)}"
    return seen.finding(not wrong, wanted, found, "`docker node inspect NODE` shows its labels")


def _spread(seen: TaskView, most: int) -> Finding:
    hosts = [seen.host(task) for task in seen.running]
    numbers = {host: hosts.count(host) for host in sorted(set(hosts))}
    found = ", ".join(f"{number} on {host}" for host, number in numbers.items()) or "no task runs"
    holds = bool(numbers) and max(numbers.values()) <= most
    return seen.finding(holds, f"no node runs more than {most}", found)


def _healthy(seen: TaskView) -> list[Finding]:
    """Each engine is asked for the tasks on it: one request for each host."""
    places, name = seen.places, seen.service
    wanted = "each task is healthy"
    names = {seen.host(task): f"{name_of(task)} of {name}" for task in reversed(seen.running)}
    if not names:
        return [seen.finding(False, wanted, f"no task runs{why_not(seen)}")]

    def on(host: str) -> Finding:
        if host not in places.lab.inventory.hosts:
            return unasked(host, wanted, outside(names[host], host))
        label = f"{SERVICE}={name}"
        with places.engine(host) as engine:
            found = engine.containers(filters={"label": label})
        states = {str(one["Names"][0]).removeprefix("/"): _health(str(one["Status"])) for one in found}
        holds = bool(states) and set(states.values()) == {"healthy"}
        return finding(
            host,
            f"docker ps --filter label={label}",
            holds=holds,
            wanted=wanted,
            found="; ".join(f"{task} is {state}" for task, state in sorted(states.items())) or "no task runs",
            hint="`docker inspect --format '{{json .State.Health}}' CONTAINER` shows what its health check printed",
        )

    return list(results_of(parallel(on, sorted(names), name="health")))


def _health(status: str) -> str:
    found = re.search(r"\((health: )?(\w+)\)$", status)
    return found[2] if found else "without a health check"


def _typed_nodes(nodes: str, probe: TasksProbe) -> str:
    """The proof about where tasks are.

    Each node is asked for the constraints' values.
    """
    proofs = [f'[ -n "$({nodes})" ]']
    if probe.most_per_node:
        proofs.append(
            f"[ \"$({nodes} | uniq -c | sort -n | tail -n 1 | awk '{{print $1}}')\" -le {probe.most_per_node} ]"
        )
    for text in probe.constraints:
        one = parse_constraint(text)
        format = _FORMATS.get(one.key.lower()) or _label(one.key)
        sign = "grep -vixF" if one.equal else "grep -ixF"
        asked = f"{nodes} | uniq | xargs docker node inspect --format {shlex.quote(format)}"
        proofs.append(f'found=$({asked}) && ! echo "$found" | {sign} -- {shlex.quote(one.value)}')
    return " && ".join(proofs)


_FORMATS = {
    "node.id": "{{.ID}}",
    "node.hostname": "{{.Description.Hostname}}",
    "node.ip": "{{.Status.Addr}}",
    "node.role": "{{.Spec.Role}}",
    "node.platform.os": "{{.Description.Platform.OS}}",
    "node.platform.arch": "{{.Description.Platform.Architecture}}",
}


def _label(key: str) -> str:
    at = ".Description.Engine.Labels" if key.lower().startswith("engine.") else ".Spec.Labels"
    return f'{{{{index {at} "{key.split(".", 2)[2]}"}}}}'
