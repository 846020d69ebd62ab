"""The page docs/advice.md, from the registry: `python -m clusterlab.stacks.advice.page > docs/advice.md`."""

from __future__ import annotations

from . import ADVICE

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

| key | when | why | what to do |
|---|---|---|---|
"""


def page() -> str:
    """The text of docs/advice.md."""
    rows = (
        " | ".join(["", f"`{kind.name}`", kind.when, kind.reason, kind.remedy, ""]).strip() + "\n"
        for kind in ADVICE.values()
    )
    return _HEAD + "".join(rows)


if __name__ == "__main__":
    print(page(), end="")
