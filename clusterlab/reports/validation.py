"""What is wrong with files, and the advice on them: on a terminal, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from clusterlab.model.problems import Problem
from clusterlab.stacks.advice import Advice


def show_advice(console: Console, advice: Sequence[Advice]) -> None:
    """Each piece of advice at its place, with its key and what to do."""
    for one in advice:
        line = Text.assemble(
            ("advice: ", "bold yellow"),
            f"{one.file}:{one.line}:{one.column}: {one.message} ",
            (f"[{one.key}]", "cyan"),
        )
        console.print(line, soft_wrap=True)
        console.print(Text.assemble(("    → ", "yellow"), one.remedy), soft_wrap=True)


def validation_document(problems: Sequence[Problem], advice: Sequence[Advice]) -> dict[str, Any]:
    """What `clusterlab validate --json` writes."""
    return {
        "errors": [
            {"file": one.file, "line": one.line, "column": one.column, "message": one.message, "remedy": one.remedy}
            for one in problems
        ],
        "advice": [
            {"key": one.key, "file": one.file, "line": one.line, "message": one.message, "remedy": one.remedy}
            for one in advice
        ],
    }
