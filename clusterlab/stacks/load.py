"""Load stack files as one stack, or raise an error with all that is wrong.

The stages: YAML, variables, types of values, merging, contents of files, and what client and engine refuse. Files that
are broken in an early stage are still read as far as they go, so that one round shows everything.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from clusterlab.model.problems import InvalidFiles, Problem, in_order
from clusterlab.model.source import Document
from clusterlab.redaction import SECRETS
from clusterlab.secret_patterns import names_secret

from .contents import read_contents
from .cross_references import undefined
from .field import Field, Source
from .given import Place
from .merge import merge_all
from .mount_rules import mount_problems
from .muting import turned_off
from .object_rules import object_problems
from .objects import read_config, read_network, read_secret, read_volume, section
from .reading import STANDARD_INPUT, read_stack_file
from .service_rules import service_problems, shared_ports
from .services import read_service
from .stack import Service, Stack
from .template_rules import template_problems
from .variables import Substituted, substitute, without_values
from .versions import Version, version_of

_TOP = {**dict.fromkeys(["version", "services", "networks", "volumes"], ""), "secrets": "3.1", "configs": "3.3"}
_REFUSED_TOP = {
    "name": ("docker stack deploy refuses this key of Compose", "Name the stack with --stack NAME."),
    "include": ("docker stack deploy refuses this key of Compose", "Name the other files too, with -c."),
}


@dataclass(frozen=True)
class Loaded:
    """What became of some stack files. The stack is there if nothing is wrong."""

    name: str
    stack: Stack | None
    files: tuple[str, ...]
    sources: tuple[Substituted, ...]
    problems: tuple[Problem, ...]
    environment: Mapping[str, str] = field(repr=False)
    folder: Path
    muted: Mapping[str, Place]  # the keys of advice that the files mute
    without: Mapping[str, Place] = field(default_factory=dict)  # the keys of statements that the files turn off

    def valid(self) -> Stack:
        """The stack; raises InvalidFiles with everything that is wrong."""
        if self.stack is None:
            raise InvalidFiles(self.problems, self.files)
        return self.stack


def load_stack(files: Sequence[str], name: str = "", environment: Mapping[str, str] | None = None) -> Loaded:
    """Read the files of one stack as `docker stack deploy -c FILE ...` does.

    `-` is standard input.

    Without a name, the stack is named after the folder of the first file. `environment` is the process's by default.
    """
    environment = os.environ if environment is None else environment
    first = files[0]
    folder = Path() if first == STANDARD_INPUT else Path(first).parent
    documents: list[Document] = []
    problems: list[Problem] = []
    for file in files:
        try:
            documents.append(read_stack_file(file))
        except InvalidFiles as error:
            problems += error.problems
    version, wrong = _common_version(documents)
    problems += wrong
    sources = [Source(substitute(document, environment), version) for document in documents]
    name = name or folder.resolve().name
    parts = [_read(source, name, folder, environment) for source in sources]
    off = [turned_off(source.top()) for source in sources]
    mute = {key: place for one in off for key, place in one.mute.items()}
    without = {key: place for one in off for key, place in one.without.items()}
    for source in sources:
        problems += [*source.substituted.problems, *source.problems]
    stack = None
    if len(documents) == len(files):
        stack, wrong = _checked(merge_all(parts))
        problems += _new(wrong, problems)
        SECRETS.learn(_secrets(stack), public=[*stack.services, *stack.networks, *stack.volumes])
    loaded = tuple(source.substituted for source in sources)
    problems = [
        replace(problem, message=without_values(problem.message, loaded, environment)) for problem in _once(problems)
    ]
    ordered = tuple(in_order(problems, files))
    return Loaded(name, None if problems else stack, tuple(files), loaded, ordered, environment, folder, mute, without)


def _secrets(stack: Stack) -> Iterator[tuple[str, object]]:
    """What must not leave this process.

    The values of environments, and the contents of secrets and configs.
    """
    for service in stack.services.values():
        yield from ((name, given.value) for name, given in service.environment.items() if given.value is not None)
        options = (service.logging and service.logging.options) or {}
        yield from ((name, given.value) for name, given in options.items() if names_secret(name))
    for what, objects in (("secret", stack.secrets), ("config", stack.configs)):
        for one in objects.values():
            if one.content is not None:
                yield f"{what} {one.key}", one.content.data.decode(errors="replace").strip()


def _common_version(documents: Sequence[Document]) -> tuple[Version, list[Problem]]:
    """The version of the first file; the others must have the same."""
    found = [version_of(document) for document in documents]
    problems = [problem for _, problem in found if problem]
    if not found:
        return Version(), problems
    first = found[0][0]
    for document, (version, problem) in zip(documents[1:], found[1:], strict=True):
        if version != first and not problem and not found[0][1]:
            teller = document if "version" in document.value else documents[0]
            message = f"version: {documents[0].file} is {first} and {document.file} is {version}"
            remedy = "Leave version out of all files: the latest, 3.13, is then used."
            problems.append(teller.problem(("version",), message, remedy, key=True))
    return first, problems


def _read(source: Source, name: str, folder: Path, environment: Mapping[str, str]) -> Stack:
    top = source.top().keys(_TOP, extensions="3.4", refused=_REFUSED_TOP)

    def service(field: Field) -> Service:
        return read_service(field, folder, environment)

    return Stack(
        name,
        folder,
        (source.document.file,),
        section(top, "services", service),
        section(top, "networks", read_network),
        section(top, "volumes", read_volume),
        section(top, "configs", read_config),
        section(top, "secrets", read_secret),
    )


def _checked(stack: Stack) -> tuple[Stack, list[Problem]]:
    """The merged stack with its contents, and what client and engine refuse in it."""
    stack, problems = read_contents(stack)
    return stack, [*problems, *_refused(stack)]


def _refused(stack: Stack) -> Iterator[Problem]:
    yield from undefined(stack)
    for service in stack.services.values():
        yield from service_problems(stack, service)
        yield from mount_problems(service)
    yield from shared_ports(stack)
    yield from template_problems(stack)
    yield from object_problems(stack)


def _new(found: Sequence[Problem], known: Sequence[Problem]) -> list[Problem]:
    """Those of `found` that do not follow from a problem at the same place."""
    places = {(problem.file, problem.line, problem.column) for problem in known}
    return [problem for problem in found if (problem.file, problem.line, problem.column) not in places]


def _once(problems: Sequence[Problem]) -> list[Problem]:
    """Without those that anchors repeat.

    The same words, but for the keys in front, at the same place.
    """
    first: dict[tuple[str, int, int, str], Problem] = {}
    for problem in problems:
        keys, _, words = problem.message.partition(": ")
        first.setdefault((problem.file, problem.line, problem.column, words or keys), problem)
    return list(first.values())
