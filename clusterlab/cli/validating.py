"""What `clusterlab validate` does.

An inventory with its plays, or stack files, with all that is wrong at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from clusterlab.errors import UsageError
from clusterlab.model import Lab, load_lab, play_names
from clusterlab.model.problems import InvalidFiles, Problem, suggest
from clusterlab.reports.summary import write_json
from clusterlab.reports.validation import show_advice, validation_document
from clusterlab.stacks import load_stack
from clusterlab.stacks.advice import ADVICE, LAB_ADVICE, Advice, advise, unknown_mutes
from clusterlab.stacks.statements import unknown_keys


@dataclass
class Validation:
    """What was found so far."""

    problems: list[Problem] = field(default_factory=list)
    advice: list[Advice] = field(default_factory=list)
    valid: list[str] = field(default_factory=list)  # sentences
    files: list[str] = field(default_factory=list)

    def stack(self, files: Sequence[str], name: str, mute: Sequence[str]) -> None:
        """Validate the files of one stack."""
        loaded = load_stack(files, name)
        self.files += files
        self.problems += [*loaded.problems, *unknown_mutes(loaded), *unknown_keys(loaded)]
        found = advise(loaded, mute)
        self.advice += found
        if loaded.stack:
            count = len(loaded.stack.services)
            services = "1 service" if count == 1 else f"{count} services"
            self.valid.append(f"{', '.join(files)}: the stack {loaded.stack.name} with {services} is valid.")

    def plays(self, inventory: Path, plays: Sequence[str], playbooks: Path) -> None:
        """Validate an inventory and its plays, all of them where none is named."""
        try:
            lab = load_lab(inventory, plays or play_names(playbooks), playbooks)
        except InvalidFiles as error:
            self.problems += error.problems
        else:
            checks = sum(len(one.checks) for one in lab.plays.values())
            self.valid.append(f"{inventory} and {len(lab.plays)} plays with {checks} checks are valid.")
            self.valid += _unsupported(lab)
            acting = sum(
                any(step.do and not step.do.breaks for step in check.steps)
                for one in lab.plays.values()
                for check in one.checks
            )
            if acting and not lab.inventory.actions_allowed:
                self.valid.append(
                    f"{acting} checks will be blocked: they stop, restart or drain something, which the inventory does "
                    "not allow. To allow it, set `allow_actions: true` there; only what the lab created is changed."
                )

    def finish(self, console: Console, json: str) -> None:
        """Show and write what was found; raises InvalidFiles if anything is wrong."""
        if json:
            write_json(Path(json), validation_document(self.problems, self.advice))
        if json != "-":
            show_advice(console, self.advice)
            for sentence in self.valid:
                console.print(sentence, highlight=False, soft_wrap=True)
        if self.problems:
            raise InvalidFiles(self.problems, self.files)


def _unsupported(lab: Lab) -> Iterator[str]:
    """For which checks an inventory has too little, by reason."""
    reasons = Counter(check.lacks for play in lab.plays.values() for check in play.checks if check.lacks)
    for reason, count in reasons.items():
        yield f"{count} {'check is' if count == 1 else 'checks are'} unsupported: {reason}."


def check_mute(keys: Sequence[str]) -> None:
    """Raise UsageError for a key that no advice has."""
    for key in keys:
        if key.partition(":")[0] not in (*ADVICE, *LAB_ADVICE):
            raise UsageError(f"--mute: there is no advice '{key}'", remedy=suggest(key, ADVICE, "Advice"))
