"""What faults name: services that exist, and of which they may break tasks."""

from __future__ import annotations

from collections.abc import Iterator

from ..faults import FaultModel, FaultParameters
from ..problems import Problem
from ..source import KeyPath
from .files import PlayFile
from .probes import unknown_service


def service_problems(file: PlayFile, path: KeyPath, kind: FaultModel, params: FaultParameters) -> Iterator[Problem]:
    """Services that a play does not know, and those of others whose tasks would be broken."""
    for service in kind.services(params):
        if file.play.stack is None and service not in file.play.known_services:
            yield unknown_service(file, path, service)
    for service in kind.breaks(params):
        if service in file.external_services:
            message = f"the service '{service}' is external: clusterlab did not create it, so its tasks are left alone"
            yield file.problem(path, message, "Name a service of the play, or of its stack.")
