"""Configs and secrets that services use: of their play, and each in a place of its own."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator, Sequence

from ..long_forms import FileReference, reference
from ..problems import Problem, suggest
from ..source import KeyPath
from .files import Files, PlayFile

_FOLDERS = {"config": "/", "secret": "/run/secrets/"}
"""Where files are whose target is not an absolute path."""


def problems(files: Files) -> Iterator[Problem]:
    for file in files.plays.values():
        for name, service in file.play.services.items():
            path: KeyPath = ("services", name)
            yield from _used(file, (*path, "configs"), service.configs, file.play.configs)
            yield from _used(file, (*path, "secrets"), service.secrets, file.play.secrets)
            spec = service.credential_spec
            if spec and spec.config:
                yield from _known(file, (*path, "credential_spec", "config"), "config", spec.config, file.play.configs)


def _used(
    file: PlayFile, path: KeyPath, uses: Sequence[str | FileReference], known: Collection[str]
) -> Iterator[Problem]:
    """What is wrong with uses that a service's tasks have side by side.

    Source: setupSecretDir in moby's daemon/container_operations_unix.go.
    """
    kind = str(path[-1]).removesuffix("s")
    targets: set[str] = set()
    owners: dict[str, tuple[str, str, int]] = {}
    for index, use in enumerate(uses):
        one, where = reference(use), (*path, index)
        yield from _known(file, where if isinstance(use, str) else (*where, "source"), kind, one.source, known)
        target = posixpath.join(_FOLDERS[kind], one.target or one.source)
        if target in targets:
            yield file.problem(where, f"another {kind} is already the file {target}", "Give it another target.")
        targets.add(target)
        owner = (one.uid, one.gid, one.mode)
        if owners.setdefault(one.source, owner) != owner:
            message = f"a task has one file of the {kind} '{one.source}': another use gives it another owner or mode"
            yield file.problem(where, message, "Give all its uses the same uid, gid and mode.")


def _known(file: PlayFile, where: KeyPath, kind: str, name: str, known: Collection[str]) -> Iterator[Problem]:
    if name not in known:
        remedy = suggest(name, known, f"{kind.capitalize()}s of this play") or f"Add it under {kind}s: of this play."
        yield file.problem(where, f"this play has no {kind} '{name}'", remedy)
