"""service_spec: a service and its tasks run with the expected spec.

Not with one from before.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from clusterlab.model.base import Model
from clusterlab.model.kinds import Touched
from clusterlab.model.lab import Lab
from clusterlab.model.playbook import Play
from clusterlab.model.problems import Problem
from clusterlab.model.source import KeyPath
from clusterlab.model.validate.files import Files, PlayFile
from clusterlab.model.validate.probes import unknown_service
from clusterlab.resources.scope import names_of_networks
from clusterlab.resources.stack_fields import differences_of, flat, restarts
from clusterlab.resources.stack_services import service_differences, wanted_spec
from clusterlab.resources.stack_view import StackObject
from clusterlab.stacks.service_specs import IMAGE, Spec

from ..finding import Finding, finding
from ..kind import CheckKind
from ..manual.line import Line
from ..manual.where import Where
from ..places import Places
from ..swarm_task import service_report
from ..task_view import SHOWN, TaskView, name_of

_STATES = {
    "paused": "its last update is paused",
    "rollback_started": "its last update is being rolled back",
    "rollback_paused": "its last update was being rolled back, which is paused",
    "rollback_completed": "its last update was rolled back",
}
"""What `UpdateStatus` says of a service that does not run what was last asked of it."""
_CONTAINER = ("TaskTemplate", "ContainerSpec")
_LISTED = ("Labels", "Env", "Sysctls", "Options", "DriverOpts", "Hosts")
"""Parts that a person compares in the files: their keys are people's, or their values are nobody's business."""


class ServiceSpecProbe(Model):
    """The last update of a service was completed, and its tasks are up to date.

    It was not rolled back or paused, and all running tasks have its current spec.

    In a play with a stack, that is the spec of the stack's files; of variables and secrets no value is shown.
    """

    service: str


class ServiceSpec(CheckKind[ServiceSpecProbe]):
    name = "service_spec"
    model = ServiceSpecProbe

    def problems(self, files: Files, file: PlayFile, path: KeyPath, probe: ServiceSpecProbe) -> Iterator[Problem]:
        if probe.service not in file.play.known_services:
            yield unknown_service(file, (*path, "service"), probe.service)

    def touches(self, probe: ServiceSpecProbe) -> Touched:
        return Touched(services=frozenset({probe.service}))

    def asks(self, probe: ServiceSpecProbe, play: Play) -> Literal["place", "engine", "manager"]:
        return "manager"

    def ask(self, probe: ServiceSpecProbe, places: Places) -> list[Finding]:
        """One finding for the service's spec, and one for those of its tasks if any runs."""
        report = service_report(probe.service, places)
        seen = TaskView(probe.service, places, report)
        wanted = _of_files(probe.service, places.lab, report)
        return [_spec(places, report, wanted, probe.service), *([_tasks(seen)] if seen.running else [])]

    def manual(self, probe: ServiceSpecProbe, where: Where) -> Iterator[Line]:
        name, manager = probe.service, where.manager
        wanted = _of_files(name, where.lab, {})
        asked = shlex.join(
            ["docker", "service", "inspect", "--format", "{{with .UpdateStatus}}{{.State}}{{end}}", name]
        )
        bad = "^(paused|rollback_(started|paused))" if wanted else "^(paused|rollback_)"
        proof = f"state=$({asked}) && ! echo \"$state\" | grep -E '{bad}'"
        yield Line(manager, asked, "no update was rolled back or is paused", proof)
        if wanted is not None:
            fields = dict(_typed(wanted))
            asked = shlex.join(["docker", "service", "inspect", "--format", " ".join(fields), name])
            shown = " ".join(fields.values())
            yield Line(manager, asked, f"as in the stack's files: {shown}", f'[ "$({asked})" = {shlex.quote(shown)} ]')


KIND = ServiceSpec()


def _of_files(name: str, lab: Lab, report: Mapping[str, Any]) -> Spec | None:
    """The spec that the stack's files have for a service.

    None for a service of no stack of the lab.

    Where the inventory has an image of its own for the reference, the one that runs is taken for it.
    """
    for stack in (one.valid() for one in lab.stacks.values()):
        service = next((one for one in stack.services.values() if stack.scoped(one.name) == name), None)
        if service is not None:
            written = service.image.value if service.image else ""
            running = report and report["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"]
            return wanted_spec(stack, service, running if running and written in lab.inventory.images else "")
    return None


def _spec(places: Places, report: Mapping[str, Any], wanted: Spec | None, name: str) -> Finding:
    state = str((report.get("UpdateStatus") or {}).get("State", ""))
    message = str((report.get("UpdateStatus") or {}).get("Message", ""))
    problems = [f"{_STATES[state]} ({message})" if message else _STATES[state]] if state in _STATES else []
    expected = "its last update was not rolled back or paused"
    if wanted is not None:
        expected = "the spec of the stack's files"
        with places.engine(places.manager) as engine:
            networks = names_of_networks(engine, [report["Spec"]], {})
        differing = service_differences(wanted, StackObject("service", name, report), networks)
        if state == "rollback_completed" and not differing:  # back to what the files have
            problems = []
        # "environment.TOKEN: is set" would look like a secret to what keeps these out of reports.
        shown = [f"{one.name} {one.hidden}" if one.hidden else str(one) for one in differing.values()]
        more = f", and {len(shown) - SHOWN} more" if len(shown) > SHOWN else ""
        problems += ["; ".join(shown[:SHOWN]) + more] if shown else []
    return finding(
        places.manager,
        f"docker service inspect {name}",
        holds=not problems,
        wanted=expected,
        found="; ".join(problems) or ("it has it" if wanted is not None else "it was not"),
        hint=f"`docker service ps --no-trunc {name}` shows why tasks of an update failed; deploy the stack again",
    )


def _tasks(seen: TaskView) -> Finding:
    """Each running task has what the service has now.

    What changes without a new task does not count.
    """
    template = seen.report["Spec"]["TaskTemplate"]
    wrong = []
    for task in seen.running:
        differing = [
            one.name
            for path, one in differences_of({"TaskTemplate": template}, {"TaskTemplate": task["Spec"]}, {}).items()
            if restarts(path)
        ]
        if template["ContainerSpec"]["Image"] != task["Spec"]["ContainerSpec"]["Image"]:
            differing.append("image")
        if differing:
            wrong.append(f"{name_of(task)} on {seen.host(task)} has another {', '.join(differing[:SHOWN])}")
    found = "; ".join(wrong[:SHOWN]) or f"{len(seen.running)} tasks have it"
    hint = f"an update is under way, or stopped half-way: `docker service inspect --pretty {seen.service}` shows it"
    return seen.finding(not wrong, "running tasks have the service's current spec", found, hint)


def _typed(spec: Spec) -> Iterator[tuple[str, str]]:
    """Fields of a spec that are one value: a Go template, and the JSON it prints."""
    yield f'{{{{json (index .Spec.Labels "{IMAGE}")}}}}', json.dumps(spec["Labels"][IMAGE])
    for path, value in flat(spec).items():
        texts = isinstance(value, list) and all(isinstance(one, str) for one in value)
        if not (set(path) & set(_LISTED)) and (texts or not isinstance(value, list)):
            shown = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
            yield f"{{{{json .Spec.{'.'.join(path)}}}}}", shown
