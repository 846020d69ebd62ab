"""What the files of configs and secrets hold.

Read at deployment, whether a service uses them or not.

Sources: fileObjectConfig of docker/cli; the engine's limits in swarmkit's controlapi (secret.go, config.go).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from clusterlab.model.problems import Problem

from .given import Content
from .stack import FileObject, Stack

_MOST = {"configs": 1000 * 1024, "secrets": 500 * 1024}


def read_contents(stack: Stack) -> tuple[Stack, list[Problem]]:
    """`stack` with the contents of its configs and secrets, and their errors."""
    problems: list[Problem] = []

    def filled(kind: str, objects: Mapping[str, FileObject]) -> dict[str, FileObject]:
        return {key: _filled(each, kind, stack, problems) for key, each in objects.items()}

    configs, secrets = filled("configs", stack.configs), filled("secrets", stack.secrets)
    return replace(stack, configs=configs, secrets=secrets), problems


def _filled(each: FileObject, kind: str, stack: Stack, problems: list[Problem]) -> FileObject:
    if each.external or each.broken or (each.driver and each.driver.value):
        return each
    subject = f"{kind}.{each.key}"
    if each.file is None:
        remedy = "Name a file with `file`, or write external: true."
        problems.append(each.place.problem(f"{subject}: has neither file nor external", remedy))
        return each
    path = stack.folder / each.file.value
    wrong = ""
    try:
        data = path.read_bytes()
    except OSError as error:
        data, wrong = b"", f"cannot be read: {error.strerror}"
    if not wrong and not data:
        wrong = "is empty, which the engine refuses"
    elif len(data) >= _MOST[kind]:
        wrong = f"has {len(data)} bytes; it must have less than {_MOST[kind]}"
    if wrong:
        remedy = f"It was looked for in {path.parent}/" if wrong.startswith("cannot") else ""
        problems.append(each.file.place.problem(f"{subject}.file: {each.file.written or 'the file'} {wrong}", remedy))
        return each
    return replace(each, content=Content(data))
