"""The page of all verbs with their options."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from clusterlab.cli.main import collection
from clusterlab.cli.registry import by_group, load_verb


def page() -> str:
    """Markdown: a section for each group, and in it one for each verb."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    contexts = {str(context.name): context for context in collection().to_contexts()}
    yield "# Commands"
    yield ""
    yield "`clusterlab VERB [PLAY ...] [-i INVENTORY] [options]`, or `clusterlab VERB --help`."
    yield ""
    yield "Exit codes: 0 all statements pass · 1 a statement failed · 2 wrong usage or an invalid file · 3 something"
    yield "could not be carried out."
    for title, verbs in by_group().items():
        yield f"\n## {title}"
        for verb in verbs:
            yield f"\n### {verb}\n"
            yield inspect.getdoc(load_verb(verb)) or ""
            yield ""
            rows = [(flags, text or "") for flags, text in contexts[verb].help_tuples()]
            if rows:
                yield "| option | meaning |"
                yield "|---|---|"
            for flags, text in rows:
                yield f"| `{_cell(flags)}` | {_cell(text)} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
