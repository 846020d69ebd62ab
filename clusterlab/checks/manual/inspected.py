"""The commands that show a value at a path of what engines report.

With the proof that it is as expected.
"""

from __future__ import annotations

import shlex

from clusterlab.model.matcher import MatcherSpec

from ..inspected import TASKS_COMMAND
from ..report_path import length_template, template
from .shell_matchers import as_wanted

_RUNNING = "awk '$2 == \"Running\" { print $1 }'"


def matched(kind: str, name: str, path: list[str], spec: MatcherSpec) -> tuple[str, str]:
    """The command that shows the value at `path`, and the proof that it is as wanted."""
    if kind == "tasks":
        return _tasks(name, path, spec)
    if kind == "volumes":
        every = "docker volume ls --quiet | xargs docker volume inspect --format"
        command = f"{every} {shlex.quote(template(path[1:], as_json=False))}"
        return command, f"found=$({command}) && {as_wanted(spec, items=True)}"
    if "*" in path:
        command = listed(kind, name, template(path, as_json=False))
        return command, f"found=$({command}) && {as_wanted(spec, items=True)}"
    if spec.lines is not None or spec.empty is not None:  # how long it is, whatever it is
        length = listed(kind, name, length_template(path))
        size = f"-eq {spec.lines}" if spec.lines is not None else "-eq 0" if spec.empty else "-gt 0"
        rest = spec.model_copy(update={"lines": None, "empty": None})
        proof = f'[ "$({length})" {size} ]'
        if rest.contains or rest.lacks:
            command, also = matched(kind, name, path, rest)
            return command, f"{proof} && {also}"
        return length, proof
    as_json = bool(spec.contains or spec.lacks) or (
        isinstance(spec.equals, dict | list | None) and not (spec.matches or spec.between)
    )
    command = listed(kind, name, template(path, as_json=as_json))
    return command, f"found=$({command}) && {as_wanted(spec, as_json=as_json)}"


def _tasks(service: str, path: list[str], spec: MatcherSpec) -> tuple[str, str]:
    if path == ["*", "Node"]:
        listed = shlex.join([*TASKS_COMMAND, "--format", "{{.Node}} {{.CurrentState}}", service])
        command = f"{listed} | {_RUNNING} | sort"
    else:
        ids = shlex.join([*TASKS_COMMAND, "--quiet", service])
        command = f"docker inspect --format {shlex.quote(template(path[1:], as_json=False))} $({ids})"
    return command, f"found=$({command}) && {as_wanted(spec, items=True)}"


def listed(kind: str, name: str, format: str) -> str:
    if kind == "engine":
        return shlex.join(["docker", "info", "--format", format])
    return shlex.join(["docker", kind, "inspect", "--format", format, name])
