"""The `env_file` of services in plays: read as in stack files, except that nothing comes from the shell."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from clusterlab.model.playbook import Service
from clusterlab.model.problems import Problem
from clusterlab.model.source import Document
from clusterlab.model.validate.files import PlayFile, item

from .env_files import Environment, read_env_file
from .field import Field, Source
from .variables import Substituted
from .versions import Version


def with_env_files(file: PlayFile) -> tuple[PlayFile, list[Problem]]:
    """The play whose services have the variables of their files in `environment`, and what is wrong in the files."""
    services, problems = dict(file.play.services), list[Problem]()
    for name, service in file.play.services.items():
        if service.env_file:
            variables, wrong = _variables(file.document, name, service)
            problems += wrong
            environment = {key: given.value or "" for key, given in variables.items()}
            services[name] = service.model_copy(update={"environment": environment | service.environment})
    return replace(file, play=file.play.model_copy(update={"services": services})), problems


def _variables(document: Document, name: str, service: Service) -> tuple[Environment, list[Problem]]:
    source = Source(Substituted(document), Version())
    found: Environment = {}
    for index, path in enumerate(service.env_file):
        at = item(document, ("services", name, "env_file"), index)
        found |= read_env_file(Field(path, at, source), Path(document.file).parent, {})
    return found, source.problems
