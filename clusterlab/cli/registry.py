"""The registry of verbs.

The group in which help lists each, and the module that has it.

A verb is a function in a module below `clusterlab/cli/verbs/` and one line here. The function has the verb's name, with
underscores.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clusterlab.cli.verb import Verb

GROUPS = {
    "lab": "The machines of a lab",
    "converge": "What runs on them",
    "prove": "What must be true",
    "learn": "Lessons",
    "keep": "Runs over time, and what is left over",
    "set up": "Files and this computer",
}
"""Titles of the groups, in the order of help."""

VERBS = {  # verb: (group, module)
    "up": ("lab", "up"),
    "down": ("lab", "down"),
    "status": ("lab", "status"),
    "ssh": ("lab", "ssh"),
    "ssh-config": ("lab", "ssh"),
    "snapshot": ("lab", "snapshot"),
    "restore": ("lab", "snapshot"),
    "snapshots": ("lab", "snapshot"),
    "logs": ("lab", "logs"),
    "collect": ("lab", "collect"),
    "provision": ("converge", "converge"),
    "plan": ("converge", "converge"),
    "apply": ("converge", "converge"),
    "clean": ("converge", "converge"),
    "deprovision": ("converge", "deprovision"),
    "run": ("prove", "check"),
    "check": ("prove", "check"),
    "drill": ("prove", "drill"),
    "rehearse": ("prove", "rehearse"),
    "doctor": ("prove", "doctor"),
    "test-cluster": ("prove", "cluster"),
    "fault": ("prove", "faults"),
    "heal": ("prove", "faults"),
    "faults": ("prove", "faults"),
    "explain": ("learn", "explain"),
    "learn": ("learn", "learn"),
    "nightly": ("keep", "nightly"),
    "history": ("keep", "history"),
    "report": ("keep", "report"),
    "labs": ("keep", "labs"),
    "gc": ("keep", "gc"),
    "init": ("set up", "init"),
    "setup": ("set up", "setup"),
    "validate": ("set up", "validate"),
    "schema": ("set up", "validate"),
    "box": ("set up", "box"),
}


def load_verb(name: str) -> Verb:
    """A verb as an Invoke task."""
    verb: Verb = getattr(import_module(f"clusterlab.cli.verbs.{VERBS[name][1]}"), name.replace("-", "_"))
    return verb


def load_verbs() -> Iterator[Verb]:
    """Every verb as an Invoke task."""
    return map(load_verb, VERBS)


def summary(name: str) -> str:
    """What a verb does, in one line."""
    return (inspect.getdoc(load_verb(name)) or "").partition("\n")[0]


def by_group() -> dict[str, list[str]]:
    """The names of all verbs by the titles of their groups."""
    return {title: [verb for verb, (group, _) in VERBS.items() if group == key] for key, title in GROUPS.items()}
