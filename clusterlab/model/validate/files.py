"""The files of a lab, each with its model, and helpers that several rules use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Network
from pathlib import Path

from ..error_text import dotted
from ..groups import GROUPS
from ..inventory import Inventory
from ..lab import Lab
from ..playbook import Container, Play
from ..problems import Problem
from ..source import Document, KeyPath


@dataclass(frozen=True)
class PlayFile:
    """One play and the file that it is from."""

    name: str
    document: Document
    play: Play

    def problem(self, path: KeyPath, message: str, remedy: str = "", *, key: bool = False) -> Problem:
        return at(self.document, self._written(path), message, remedy, key=key)

    def place_of(self, path: KeyPath) -> str:
        """file:line:column of a key, to point to it from somewhere else."""
        position = self.document.at_key(self._written(path))
        return f"{self.document.file}:{position.line}:{position.column}"

    def _written(self, path: KeyPath) -> KeyPath:
        """Where the file has what a container on one of several hosts has."""
        for group, instances in self.play.instances.items():
            if path[:1] == ("containers",) and len(path) > 1 and path[1] in instances.values():
                rest = ("hosts",) if path[2:] == ("host",) else path[2:]
                return ("containers", group, *rest)
        return path

    @cached_property
    def external_services(self) -> frozenset[str]:
        """The services of `external` in the file, without those of its stack, which checks may name like these."""
        if self.play.stack is None:
            return frozenset(self.play.external.services)
        written = (self.document.value.get("external") or {}).get("services") or []
        return frozenset([written] if isinstance(written, str) else map(str, written))

    def container(self, name: str) -> Container | None:
        return self.play.containers.get(name)


@dataclass(frozen=True)
class Files:
    """An inventory and the plays on it, all valid by themselves."""

    folder: Path
    document: Document
    inventory: Inventory
    plays: Mapping[str, PlayFile]

    @cached_property
    def lab(self) -> Lab:
        return Lab(self.inventory)

    @property
    def lan(self) -> IPv4Network | None:
        """The network that the hosts' addresses are in.

        Where clusterlab does not create it, it may be left out.
        """
        known = self.inventory.kind.creates or ("network",) in self.document.keys
        return self.inventory.network.subnet if known else None

    @cached_property
    def places(self) -> list[str]:
        """What `on:` and `hosts:` can name."""
        return [*self.inventory.hosts, *GROUPS]

    def expand(self, places: Iterable[str]) -> list[str]:
        return self.lab.expand(list(places))

    def problem(self, path: KeyPath, message: str, remedy: str = "", *, key: bool = False) -> Problem:
        """A problem of the inventory."""
        return at(self.document, path, message, remedy, key=key)


def at(document: Document, path: KeyPath, message: str, remedy: str, *, key: bool) -> Problem:
    """A problem whose message begins with the keys that lead to it."""
    key = key or path not in document.values
    return document.problem(path, f"{dotted(path)}: {message}" if path else message, remedy, key=key)


def item(document: Document, path: KeyPath, index: int) -> KeyPath:
    """The path of one item of a key that may be a list or one value alone."""
    inner = (*path, index)
    return inner if inner in document.values else path
