"""The files of a play's services, configs and secrets, read as those of stack files.

Except that nothing comes from the shell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from clusterlab.model.playbook import Service
from clusterlab.model.problems import Problem
from clusterlab.model.source import Document
from clusterlab.model.swarm_files import SwarmFile
from clusterlab.model.validate.files import PlayFile, item

from .contents import read_contents
from .env_files import Environment, read_env_file
from .field import Field, Source
from .given import Content, Given, Place
from .object_rules import file_problems
from .stack import FileObject, Stack
from .variables import Substituted
from .versions import Version

F = TypeVar("F", bound=SwarmFile)
_NOWHERE = Place("", 0, 0)


def with_files(file: PlayFile) -> tuple[PlayFile, list[Problem]]:
    """The play with what its files hold, and what is wrong in them.

    Its services have the variables of their `env_file` in `environment`, its configs and secrets their contents.
    """
    play, document = file.play, file.document
    services, problems = _services(play.services, document)
    folder = Path(document.file).parent
    configs, secrets = _objects("configs", play.configs, document), _objects("secrets", play.secrets, document)
    stack, wrong = read_contents(Stack("", folder, (), {}, configs=configs, secrets=secrets))
    problems += [*wrong, *file_problems(stack)]
    update: dict[str, object] = {
        "services": services,
        "configs": _holding(play.configs, stack.configs, folder),
        "secrets": _holding(play.secrets, stack.secrets, folder),
    }
    return replace(file, play=play.model_copy(update=update)), problems


def file_object(
    name: str, one: SwarmFile, content: Content | None, place: Place = _NOWHERE, at: Place = _NOWHERE
) -> FileObject:
    """A play's config or secret as a stack's: it goes by its own name, without a stack's in front.

    `place` and `at` are where it and its file are written.
    """
    template = Given(one.template_driver, place) if one.template_driver else None
    file = Given(one.file, at, one.file)
    return FileObject(name, place, name=Given(name, place), file=file, content=content, template_driver=template)


def _objects(section: str, files: Mapping[str, SwarmFile], document: Document) -> dict[str, FileObject]:
    """Configs or secrets whose files have not been read."""
    found = {}
    for name, one in files.items():
        place = Place(document.file, *document.at_key((section, name)))
        found[name] = file_object(name, one, None, place, Place(document.file, *document.at((section, name, "file"))))
    return found


def _holding(files: Mapping[str, F], read: Mapping[str, FileObject], folder: Path) -> dict[str, F]:
    contents = {name: one.content.data if one.content else b"" for name, one in read.items()}
    return {name: one.holding(contents[name], folder / one.file) for name, one in files.items()}


def _services(services: Mapping[str, Service], document: Document) -> tuple[dict[str, Service], list[Problem]]:
    changed, problems = dict(services), list[Problem]()
    for name, service in services.items():
        if service.env_file:
            variables, wrong = _variables(document, name, service)
            problems += wrong
            environment = {key: given.value or "" for key, given in variables.items()}
            changed[name] = service.model_copy(update={"environment": environment | service.environment})
    return changed, problems


def _variables(document: Document, name: str, service: Service) -> tuple[Environment, list[Problem]]:
    source = Source(Substituted(document), Version())
    found: Environment = {}
    for index, path in enumerate(service.env_file):
        at = item(document, ("services", name, "env_file"), index)
        found |= read_env_file(Field(path, at, source), Path(document.file).parent, {})
    return found, source.problems
