"""tasks: how many tasks of a service run, whether they stay up, where they are, and whether they are healthy."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Literal

from pydantic import Field

from clusterlab.model.base import Issue, Model
from clusterlab.model.kinds import Touched
from clusterlab.model.problems import Problem, listed
from clusterlab.model.source import KeyPath
from clusterlab.model.validate.files import Files, PlayFile
from clusterlab.model.validate.probes import unknown_service
from clusterlab.parallel import parallel, results_of
from clusterlab.resources.swarm_actions import address, list_nodes
from clusterlab.stacks.constraints import Node, parse_constraint

from ..finding import Finding, finding
from ..kind import CheckKind
from ..manual.line import Line
from ..manual.where import Where
from ..places import Places
from ..swarm_task import service_report

_DONE = ("complete", "failed", "rejected", "orphaned")
_STEADY = 10.0  # seconds that a task must have run after one before it has failed
_LONGEST = 600.0  # seconds after which a task counts as steady, however long its predecessors ran
_SHOWN = 3  # errors of tasks in a sentence


class TasksProbe(Model):
    """The tasks of a service, as the Swarm's managers report them."""

    service: str
    running: int | Literal["each"] | None = Field(
        default=None, description="how many must run; each: one on each active node that its constraints match"
    )
    completed: int | None = Field(default=None, description="how many tasks of a job must have ended with exit code 0")
    steady: Literal[True] | None = Field(
        default=None, description="none ends again and again: after a failure, the next task has run for long enough"
    )
    constraints: list[str] = Field(
        default_factory=list,
        description="as in deploy.placement: each task's node must match them",
        examples=[["node.role == worker"]],
    )
    most_per_node: int | None = Field(default=None, ge=1, description="no node runs more")
    healthy: Literal[True] | None = Field(default=None, description="the health check of each task says healthy")

    def issues(self) -> Iterator[Issue]:
        if not self.given("running", "completed", "steady", "most_per_node", "healthy") and not self.constraints:
            remedy = "Add running:, completed:, steady: true, constraints:, most_per_node: or healthy: true."
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

    def asks(self, probe: TasksProbe) -> Literal["place", "engine", "manager"]:
        return "manager"

    def ask(self, probe: TasksProbe, places: Places) -> list[Finding]:
        """One finding for each thing that is stated."""
        report = service_report(probe.service, places)
        seen = _Seen(probe, places, report)
        findings = []
        if probe.running is not None:
            findings.append(_running(seen, probe.running))
        if probe.completed is not None:
            findings.append(_completed(seen, probe.completed))
        if probe.steady:
            findings.append(_steady(seen))
        if probe.constraints:
            findings.append(_placed(seen))
        if probe.most_per_node is not None:
            findings.append(_spread(seen, probe.most_per_node))
        return findings + (_healthy(seen) if probe.healthy else [])

    def manual(self, probe: TasksProbe, where: Where) -> Iterator[Line]:
        listed_ = shlex.join(["docker", "service", "ps", "--no-trunc", probe.service])
        running = f"{listed_} --filter desired-state=running --format '{{{{.CurrentState}}}}' | grep -c ^Running"
        manager = where.manager
        if probe.running is not None:
            number = "$(docker node ls --quiet | wc -l)" if probe.running == "each" else str(probe.running)
            wanted = "as many as there are nodes for it" if probe.running == "each" else f"{probe.running} tasks run"
            test = "-ge 1 ] && [ $found -le" if probe.running == "each" else "-eq"
            yield Line(manager, listed_, wanted, f'found=$({running}); [ "$found" {test} {number} ]')
        if probe.completed is not None:
            counted = f"{listed_} --format '{{{{.CurrentState}}}}' | grep -c ^Complete"
            yield Line(manager, listed_, f"{probe.completed} tasks complete", f"[ $({counted}) -ge {probe.completed} ]")
        if probe.steady:
            failed = f"{listed_} --filter desired-state=shutdown --format '{{{{.CurrentState}}}}'"
            recent = r"grep -E '^(Failed|Rejected) ([0-9]+ seconds|less than a second|about a minute) ago'"
            yield Line(manager, failed, "no task failed within the last minute", f"! {failed} | {recent}")
        if probe.constraints or probe.most_per_node:
            nodes = f"{listed_} --filter desired-state=running --format '{{{{.Node}}}}' | sort"
            wanted = f"only nodes that match {listed(probe.constraints)}" if probe.constraints else ""
            most = probe.most_per_node
            wanted += f"{' and ' if wanted and most else ''}{f'none more than {most} times' if most else ''}"
            yield Line(manager, nodes, wanted, _typed_nodes(nodes, probe))
        if probe.healthy:
            label = shlex.quote(f"label=com.docker.swarm.service.name={probe.service}")
            for host in where.lab.inventory.swarm_hosts:
                asked = f"docker ps --filter {label} --format '{{{{.Status}}}}'"
                yield Line(host, asked, "(healthy) in each line", f"! {asked} | grep -v '(healthy)'")


KIND = Tasks()


class _Seen:
    """What the managers report of a service: its tasks, by their node's host, and the nodes."""

    def __init__(self, probe: TasksProbe, places: Places, report: Mapping[str, Any]) -> None:
        manager = places.hosts[places.manager]
        by_address = {str(host.address): name for name, host in places.lab.inventory.hosts.items()}
        self.probe, self.places, self.report = probe, places, report
        self.nodes = {str(node["ID"]): node for node in list_nodes(manager)}
        self.hosts = {
            key: by_address.get(address(node), str(node["Description"]["Hostname"])) for key, node in self.nodes.items()
        }
        with places.engine(places.manager) as engine:
            self.tasks: list[Mapping[str, Any]] = engine.tasks(filters={"service": str(report["ID"])})  # type: ignore[no-untyped-call]
            self.now = _time(engine.info()["SystemTime"])

    @property
    def wanted(self) -> list[Mapping[str, Any]]:
        """The tasks that are to run."""
        return [task for task in self.tasks if task["DesiredState"] == "running"]

    @property
    def running(self) -> list[Mapping[str, Any]]:
        return [task for task in self.wanted if task["Status"]["State"] == "running"]

    def host(self, task: Mapping[str, Any]) -> str:
        return self.hosts.get(str(task.get("NodeID")), "no node")

    def matching(self, constraints: Sequence[str]) -> list[str]:
        """The active nodes that match constraints, by their host."""
        parsed = [parse_constraint(text) for text in constraints]
        return sorted(
            self.hosts[key]
            for key, node in self.nodes.items()
            if node["Status"]["State"] == "ready"
            and node["Spec"]["Availability"] == "active"
            and all(one.matches(as_node(node)) for one in parsed)
        )

    def finding(self, holds: bool, wanted: str, found: str, hint: str = "") -> Finding:
        name = self.probe.service
        command = f"docker service ps --no-trunc {name}"
        lines = [f"{_name(task)} on {self.host(task)}: {_state(task)}" for task in self.tasks]
        return finding(
            self.places.manager,
            command,
            holds=holds,
            wanted=wanted,
            found=found,
            output="\n".join(sorted(lines)),
            hint=hint or f"`{command}` shows every task with its error",
        )


def as_node(report: Mapping[str, Any]) -> Node:
    """What constraints ask of a node, from what a manager reports of it."""
    platform = report["Description"].get("Platform") or {}
    engine = report["Description"].get("Engine") or {}
    return Node(
        id=str(report["ID"]),
        hostname=str(report["Description"]["Hostname"]),
        address=str(report["Status"].get("Addr", "")),
        role=str(report["Spec"]["Role"]),
        os=str(platform.get("OS", "")),
        arch=str(platform.get("Architecture", "")),
        labels=report["Spec"].get("Labels") or {},
        engine_labels=engine.get("Labels") or {},
    )


def _running(seen: _Seen, wanted: int | str) -> Finding:
    tasks = seen.running
    if wanted == "each":
        nodes = seen.matching(_constraints(seen.report))
        hosts = sorted(map(seen.host, tasks))
        missing = sorted(set(nodes) - set(hosts))
        found = f"runs on {listed(hosts)}" + (f", and not on {listed(missing)}" if missing else "")
        holds, expected = bool(nodes) and not missing, f"a task runs on each of {listed(nodes)}"
    else:
        found = f"{len(tasks)} of {wanted} tasks run"
        holds, expected = len(tasks) == wanted, f"{wanted} tasks run"
    return seen.finding(holds, expected, found + ("" if holds else _why(seen)))


def _completed(seen: _Seen, wanted: int) -> Finding:
    done = [task for task in seen.tasks if task["Status"]["State"] == "complete"]
    found = f"{len(done)} of {wanted} tasks are complete"
    holds = len(done) >= wanted
    return seen.finding(holds, f"{wanted} tasks are complete", found + ("" if holds else _why(seen)))


def _steady(seen: _Seen) -> Finding:
    """After a failure a task counts as steady when it has run for longer than those before it did."""
    wrong, shown = [], []
    for task in seen.wanted:
        slot = task.get("Slot") or task.get("NodeID")
        ended = [one for one in seen.tasks if (one.get("Slot") or one.get("NodeID")) == slot and _failed(one)]
        age = seen.now - _time(task["Status"]["Timestamp"])
        times = sorted(_time(one["Status"]["Timestamp"]) for one in ended)
        gaps = [later - earlier for earlier, later in pairwise(times)]
        needed = min(max([_STEADY, *(1.5 * gap for gap in gaps)]), _LONGEST) if ended else 0.0
        if task["Status"]["State"] != "running":
            wrong.append(f"{_name(task)} is {_state(task)}")
        elif age < needed:
            last = max(ended, key=lambda one: _time(one["Status"]["Timestamp"]))
            wrong.append(f"{_name(task)} runs for {age:.0f} s, after {len(ended)} failed: {_state(last)}")
        else:
            shown.append(age)
    if not seen.wanted:
        wrong.append("it has no task")
    found = "; ".join(wrong[:_SHOWN]) or f"each has run for {min(shown):.0f} s or more"
    hint = f"`docker service logs {seen.probe.service}` shows what they printed before they ended"
    return seen.finding(not wrong, "no task fails again and again", found, hint)


def _placed(seen: _Seen) -> Finding:
    matching = seen.matching(seen.probe.constraints)
    parsed = [parse_constraint(text) for text in seen.probe.constraints]
    wrong = []
    for task in seen.running:
        node = seen.nodes.get(str(task.get("NodeID")))
        broken = [
            text
            for text, one in zip(seen.probe.constraints, parsed, strict=True)
            if node is None or not one.matches(as_node(node))
        ]
        if broken:
            wrong.append(f"{_name(task)} is on {seen.host(task)}, which does not match {listed(broken)}")
    if not seen.running:
        wrong = [f"no task runs; nodes that match: {listed(matching)}{_why(seen)}"]
    found = "; ".join(wrong) or f"they are on {listed(sorted({seen.host(task) for task in seen.running}))}"
    wanted = f"tasks are on nodes that match {listed(seen.probe.constraints)}"
    return seen.finding(not wrong, wanted, found, "`docker node inspect NODE` shows its labels")


def _spread(seen: _Seen, most: int) -> Finding:
    hosts = [seen.host(task) for task in seen.running]
    numbers = {host: hosts.count(host) for host in sorted(set(hosts))}
    found = ", ".join(f"{number} on {host}" for host, number in numbers.items()) or "no task runs"
    holds = bool(numbers) and max(numbers.values()) <= most
    return seen.finding(holds, f"no node runs more than {most}", found)


def _healthy(seen: _Seen) -> list[Finding]:
    """Each engine is asked for the tasks on it: one request for each host."""
    places, name = seen.places, seen.probe.service
    wanted = "each task is healthy"
    hosts = sorted({seen.host(task) for task in seen.running} & set(places.lab.inventory.hosts))
    if not hosts:
        return [seen.finding(False, wanted, f"no task runs{_why(seen)}")]

    def on(host: str) -> Finding:
        label = f"com.docker.swarm.service.name={name}"
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

    return list(results_of(parallel(on, hosts, name="health")))


def _health(status: str) -> str:
    found = re.search(r"\((health: )?(\w+)\)$", status)
    return found[2] if found else "without a health check"


def _constraints(report: Mapping[str, Any]) -> list[str]:
    placement = report["Spec"]["TaskTemplate"].get("Placement") or {}
    return list(placement.get("Constraints") or [])


def _why(seen: _Seen) -> str:
    """What tasks that do not run say of themselves, as the end of a sentence."""
    tasks = sorted(seen.tasks, key=lambda task: str(task["Status"].get("Timestamp", "")), reverse=True)
    states = [_state(task) for task in tasks if task["Status"]["State"] != "running" and task["Status"].get("Err")]
    return "".join(f"; {state}" for state in list(dict.fromkeys(states))[:_SHOWN])


def _failed(task: Mapping[str, Any]) -> bool:
    return (
        task["Status"]["State"] in _DONE
        and task["Status"]["State"] != "orphaned"
        and bool(task["Status"].get("Err") or task["Status"]["State"] == "complete")
    )


def _name(task: Mapping[str, Any]) -> str:
    return f"task {task.get('Slot') or str(task.get('NodeID', ''))[:12] or task['ID'][:12]}"


def _state(task: Mapping[str, Any]) -> str:
    error = task["Status"].get("Err")
    return f"{task['Status']['State']}{f': {error}' if error else ''}"


def _time(text: str) -> float:
    """Seconds since 1970 of a time such as 2026-01-01T00:00:00.123456789Z."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    whole, fraction = whole[:19], re.match(r"\d*", fraction)[0] if fraction else ""  # type: ignore[index]
    return datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp() + float(f"0.{fraction or 0}")


def _typed_nodes(nodes: str, probe: TasksProbe) -> str:
    """The proof about where tasks are: each node is asked for the constraints' values."""
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
        proofs.append(f"! {asked} | {sign} -- {shlex.quote(one.value)}")
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
