"""The page docs/advice.md, from the registry.

`python -m clusterlab.stacks.advice.page > docs/advice.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from . import ADVICE, AdviceKind
from .on_lab import LAB_ADVICE, LabAdviceKind

_HEAD = """\
# Advice on stack files

`clusterlab validate shop/stack.yml` gives advice on what Docker accepts, but what does something else than it
seems to. Advice does not make a stack invalid. Mute it by its key, in the file or on the command line:

    x-clusterlab:
      mute: [latest-tag, ignored-key:tmpfs]

    clusterlab validate shop/stack.yml --mute latest-tag --mute ignored-key

A key with a colon has the kind and what it is about: `ignored-key` mutes all of its kind, `ignored-key:tmpfs` one.
A package adds kinds of its own with an entry point of the group `clusterlab.advice`.

This page is generated: `python -m clusterlab.stacks.advice.page > docs/advice.md`.

"""
_TABLE = "\n| key | when | why | what to do |\n|---|---|---|---|\n"
_LAB = """
## On a lab

What needs to know the nodes is found where a stack is planned.
"""


def page() -> str:
    """The text of docs/advice.md."""
    return "".join([_HEAD, _TABLE, *_rows(ADVICE.values()), _LAB, _TABLE, *_rows(LAB_ADVICE.values())])


def _rows(kinds: Iterable[AdviceKind | LabAdviceKind]) -> Iterator[str]:
    return (f"| `{kind.name}` | {kind.when} | {kind.reason} | {kind.remedy} |\n" for kind in kinds)


if __name__ == "__main__":
    print(page(), end="")
