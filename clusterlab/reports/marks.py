"""How outcomes look, wherever they are shown.

A mark that needs no colour, a style for terminals, a sentence.
"""

from __future__ import annotations

_LOOKS = {
    "pass": ("✔", "green"),
    "flaky": ("≈", "yellow"),
    "fail": ("✘", "bold red"),
    "error": ("!", "bold magenta"),
    "blocked": ("⊗", "bold magenta"),
    "unsupported": ("–", "cyan"),
    "waived": ("~", "cyan"),
    "not-run": ("○", "magenta"),
    "unfinished": ("…", "bold magenta"),
    "done": ("✔", "green"),
    "failed": ("✘", "bold red"),
    "skipped": ("–", "cyan"),
    "interrupted": ("!", "bold magenta"),
    "under way": ("…", "magenta"),
}
"""Outcomes of checks and verdicts of runs first, then outcomes of stages."""

MARKS = {outcome: mark for outcome, (mark, _) in _LOOKS.items()}
STYLES = {outcome: style for outcome, (_, style) in _LOOKS.items()}
VERDICTS = {
    "pass": "Nothing failed",
    "flaky": "Nothing failed twice, some statements are flaky",
    "fail": "A statement failed",
    "error": "Not everything could be carried out",
    "blocked": "A precondition failed",
    "unsupported": "Not every statement was proven",
    "not-run": "Not every statement was tried",
    "unfinished": "The run did not finish",
}
