"""Cases of checks as data: a play, what is broken, and which outcome and evidence are expected.

A case is a YAML file:

    play: networks/overlay         # one of playbooks/, or a play written out
    plays: [networks/overlay]      # in its place, where the plays stand all the time
    blocked: ["host2: volume x"]   # what apply must not do while the lab is broken
    break: {host1: "a shell command"}
    heal: {host1: "what undoes it"}
    others: any                    # the other checks may end as they like; without this they must pass
    expect:                        # checks that do not pass, or with `others` also such that must
      - check: the title
        outcome: fail               # or a list, where it depends on chance which of them it is
        found: [texts of which each must be in the evidence's found]
        hint: text in the hint
        logs: [names of logs that must be there]
        links: ["client -> server (ping): reached"]  # or apart, or unknown: all that the evidence shows
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from clusterlab.capabilities import Capabilities
from clusterlab.model import Lab, load_lab
from clusterlab.model.source import read
from clusterlab.plan.apply import apply
from clusterlab.plan.clean import clean
from clusterlab.plan.graph import carry_out
from clusterlab.progress import Silent
from clusterlab.remote import Hosts
from clusterlab.reports.verdict import exit_code
from clusterlab.results import Link, Outcome, Result

PLAYBOOKS = Path(__file__).parents[2] / "playbooks"
_SECONDS = 240.0
"""For breaking and healing a host; a Swarm of emulated machines takes its time."""


@dataclass(frozen=True)
class Rig:
    """A lab that is up: its inventory and hosts, and what its machines lack."""

    inventory: Path
    hosts: Hosts
    unsupported: Capabilities

    @contextmanager
    def made(self, lab: Lab) -> Iterator[None]:
        """What the lab's plays want exists inside the block, and is removed after it; images stay, to save time."""
        try:
            report = carry_out(apply(lab, self.hosts, unsupported=self.unsupported), Silent())
            assert not report.failed, report.failed
            assert not report.blocked, report.blocked
            yield
        finally:
            changes = [one for one in clean(lab.name, self.hosts, delete_data=True) if one.key.kind != "image"]
            report = carry_out(changes, Silent())
            assert not report.failed, report.failed


def case_files(folder: Path) -> list[Path]:
    found = sorted(folder.glob("*.yml"))
    assert found, f"no cases in {folder}"
    return found


def case_parameters(folder: Path) -> list[Any]:
    """The cases of a folder as parameters; those that say `long: true` run only when long tests are asked for."""
    marks = {path: [pytest.mark.long] if read_case(path).get("long") else [] for path in case_files(folder)}
    return [pytest.param(path, marks=mark) for path, mark in marks.items()]


def read_case(path: Path) -> dict[str, Any]:
    case = read(path).value
    unknown = set(case) - {"title", "play", "plays", "blocked", "break", "heal", "expect", "others", "long"}
    assert not unknown, f"{path}: unknown keys {unknown}"
    return case


def load_case(case: Mapping[str, Any], inventory: Path, folder: Path) -> Lab:
    """The lab of a case: a play of the project, or one that is written out in the case."""
    play = case["play"]
    if isinstance(play, str):
        return load_lab(inventory, [play], PLAYBOOKS)
    folder.joinpath("case.yml").write_text(yaml.safe_dump(play, sort_keys=False))
    return load_lab(inventory, ["case"], folder)


@contextmanager
def broken(case: Mapping[str, Any], hosts: Hosts) -> Iterator[None]:
    """The lab is broken as the case says, and healed however the block ends."""
    try:
        for host, command in case.get("break", {}).items():
            hosts[host].run(command, check=True, timeout=_SECONDS)
        yield
    finally:
        for host, command in case.get("heal", {}).items():
            hosts[host].run(command, check=True, timeout=_SECONDS)


def compare(case: Mapping[str, Any], results: Sequence[Result]) -> None:
    """Every result is as expected: by default a pass that is proven by evidence."""
    by_title = {result.check: result for result in results}
    expected = {item["check"]: item for item in case.get("expect", [])}
    assert set(expected) <= set(by_title), f"the play has no such checks: {set(expected) - set(by_title)}"
    wrong = [
        f"{title}: {problem}\n{told(result)}"
        for title, result in by_title.items()
        if title in expected or "others" not in case
        for problem in _problems(expected.get(title, {}), result)
    ]
    assert not wrong, "\n".join(wrong)
    if any(item.get("outcome") == "fail" for item in expected.values()):
        assert exit_code(results) == 1, "a failed check must end the command with exit code 1"


def told(result: Result) -> str:
    """A result in full, for the one who reads a failed test."""
    lines = [f"  {result.outcome} after {result.attempts} attempts, hint: {result.hint}"]
    for item in result.evidence:
        lines.append(f"    {'ok ' if item.holds else 'NOT'} {item.place}: {item.command}")
        lines.append(f"        wanted {item.wanted}")
        lines.append(f"        found  {item.found}")
    return "\n".join(lines)


def _words(link: Link) -> str:
    seen = {True: "reached", False: "apart", None: "unknown"}[link.seen]
    return f"{link.source} -> {link.target} ({link.how}): {seen}{', which differs' if link.differs else ''}"


def _problems(expected: Mapping[str, Any], result: Result) -> Iterator[str]:
    outcome = expected.get("outcome", "pass")
    allowed = [outcome] if isinstance(outcome, str) else outcome
    if result.outcome not in map(Outcome, allowed):
        yield f"outcome is {result.outcome}, not {outcome}"
    if not result.evidence:
        yield "there is no evidence"
    if outcome == "pass" and not all(item.holds for item in result.evidence):
        yield "passes with evidence that does not hold"
    found = "\n".join(item.found for item in result.evidence)
    for text in expected.get("found", []):
        if text not in found:
            yield f"{text!r} is not in what was found"
    if expected.get("hint", "") not in result.hint:
        yield f"{expected['hint']!r} is not in the hint"
    code = result.cause.code if result.cause else ""
    if "cause" in expected and code != expected["cause"]:
        yield f"the cause is {code or 'none'}, not {expected['cause']}"
    commands = "\n".join(item.command for item in result.evidence)
    for text in expected.get("command", []):
        if text not in commands:
            yield f"{text!r} is not in the commands:\n{commands}"
    logs = {name: text for item in result.evidence for name, text in item.logs.items()}
    for name in expected.get("logs", []):
        if not logs.get(name):
            yield f"there is no {name}, only {sorted(logs)}"
    if "links" in expected:
        shown = [_words(link) for item in result.evidence for link in item.links]
        if shown != expected["links"]:
            yield f"the links are {shown}"
    if "attempts" in expected and result.attempts != expected["attempts"]:
        yield f"{result.attempts} attempts, not {expected['attempts']}"
