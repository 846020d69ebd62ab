"""Asking hosts what kinds of resources want to know.

A few requests to each engine, and one command.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from clusterlab.remote import Host
from clusterlab.resources import questions
from clusterlab.resources.base import Key
from clusterlab.resources.kind import ResourceKind
from clusterlab.resources.observed import Observed, ask_engine

Kinds = Sequence[ResourceKind[Any, Any]]


def observe(lab: str, host: Host, kinds: Kinds, wanted: Mapping[str, Mapping[Key, Any]] | None = None) -> Observed:
    """What one host reports to all `kinds`.

    The command is left out when none of them asks for something.

    `wanted` has what is wanted anywhere by the kind's name; without it everything of the lab is looked for. Raises
    ClusterlabError when the host or its engine does not answer.
    """
    at = Observed(lab, host, ask_engine(host, _listings(kinds)))
    sections: dict[str, str] = {}
    for kind in kinds:
        here = None if wanted is None else {key: one for key, one in wanted[kind.name].items() if key.host == host.name}
        sections |= kind.questions(at, here)
    return replace(at, answers=questions.ask(host, sections)) if sections else at


def _listings(kinds: Iterable[ResourceKind[Any, Any]]) -> list[str]:
    return sorted(frozenset().union(*(kind.listings for kind in kinds)))
