"""Placement constraints.

KEY == VALUE or KEY != VALUE, and which nodes they match.

Source: swarmkit's manager/constraint. Case counts in the names of labels alone; `!=` also
holds where a label is missing.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_KEY = re.compile(r"[a-z_][a-z0-9\-_.]+", re.IGNORECASE | re.ASCII)
_VALUE = re.compile(r"[a-z0-9:\-_\s.*()?+\[\]\\^$|/]+", re.IGNORECASE | re.ASCII)
_KEYS = ("node.id", "node.hostname", "node.ip", "node.role", "node.platform.os", "node.platform.arch")
_LABELS = ("node.labels.", "engine.labels.")


@dataclass(frozen=True)
class Node:
    """What constraints can ask of a node."""

    id: str = ""
    hostname: str = ""
    address: str = ""
    role: str = "worker"
    os: str = "linux"
    arch: str = "x86_64"
    labels: Mapping[str, str] = field(default_factory=dict)
    engine_labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Constraint:
    key: str
    equal: bool
    value: str

    @property
    def known(self) -> bool:
        """Whether nodes have such a key; a constraint with another matches none of them."""
        key = self.key.lower()
        return key in _KEYS or any(key.startswith(prefix) and len(key) > len(prefix) for prefix in _LABELS)

    def matches(self, node: Node) -> bool:
        if not self.known:
            return False
        if self.key.lower() == "node.ip":
            return self._matches_address(node.address)
        return (self._of(node).lower() == self.value.lower()) == self.equal

    def _of(self, node: Node) -> str:
        key = self.key.lower()
        for prefix, labels in zip(_LABELS, (node.labels, node.engine_labels), strict=True):
            if key.startswith(prefix):
                return labels.get(self.key[len(prefix) :], "")
        values = (node.id, node.hostname, "", node.role, node.os, node.arch)
        return dict(zip(_KEYS, values, strict=True))[key]

    def _matches_address(self, address: str) -> bool:
        try:
            network = ipaddress.ip_network(self.value, strict=False)
        except ValueError:
            return False
        try:
            inside = ipaddress.ip_address(address) in network
        except ValueError:
            inside = False
        return inside == self.equal


def parse_constraint(text: str) -> Constraint:
    """The constraint that `text` is; raises ValueError with what is wrong."""
    operator = next((sign for sign in ("==", "!=") if sign in text), None)
    if operator is None:
        raise ValueError("it must be KEY == VALUE or KEY != VALUE")
    key, _, value = (part.strip() for part in text.partition(operator))
    if not _KEY.fullmatch(key):
        raise ValueError(f"what precedes {operator} is not a key such as node.labels.disk")
    if '"' in value or "'" in value:
        raise ValueError("quotes would be part of the value")
    if not _VALUE.fullmatch(value):
        raise ValueError("the value is empty or has characters that are not allowed there")
    return Constraint(key, operator == "==", value)
