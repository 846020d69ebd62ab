"""Templates such as {{.Node.Hostname}}.

Which are valid, and where they are found.

Source: swarmkit's template package. The engine expands them in hostname, values of environment, sources and targets of
mounts, labels and driver_opts of volumes.
"""

from __future__ import annotations

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ACTION = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"|`[^`]*`|\'[^\']*\'')
_CHAIN = re.compile(r"(?<![\w.)$])(?:\.[A-Za-z_]\w*)+")
_WORD = re.compile(r"(?<![\w.$])[A-Za-z_]\w*")
_FIELDS = (
    ".Service.ID",
    ".Service.Name",
    ".Service.Labels",
    ".Node.ID",
    ".Node.Hostname",
    ".Node.Platform.Architecture",
    ".Node.Platform.OS",
    ".Task.ID",
    ".Task.Name",
    ".Task.Slot",
)
_PARTS = (".Service", ".Node", ".Node.Platform", ".Task")
_BUILT_IN = _words(
    """and call html index slice js len not or print printf println urlquery eq ge gt le lt ne if else end range with
    template define block break continue nil true false join"""
)
PLACEHOLDER = re.compile(r"\{\{-?\s*\.(?:Node|Task|Service)\b")
"""A template that somebody means to be expanded."""


def template_problem(text: str) -> str:
    """Why the engine refuses the templates in a text; empty when it does not."""
    if "{{" not in text:
        return ""
    if text.count("{{") != len(_ACTION.findall(text)):
        return "a {{ is not closed by }}"
    actions = [_STRINGS.sub('""', action.strip("- \t\n")) for action in _ACTION.findall(text)]
    relative = any(re.match(r"(?:range|with|define|block)\b", action) for action in actions)
    for action in actions:
        if action.startswith("/*"):
            continue
        if not action:
            return "{{}} is empty"
        for word in _WORD.findall(action):
            if word not in _BUILT_IN:
                return f"there is no function '{word}' here"
        for chain in [] if relative else _CHAIN.findall(action):
            if not _is_field(chain):
                return f"there is no {chain} here"
    return ""


def _is_field(chain: str) -> bool:
    return chain in _FIELDS or chain in _PARTS or chain.startswith(".Service.Labels.")


FIELDS = ", ".join(_FIELDS)
