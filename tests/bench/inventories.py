"""Which lesson passes on which inventory: docs/inventories.md, from runs on real engines in namespaces.

    sudo .venv/bin/python -m tests.bench.inventories [--only NAME ...] [--lesson NAME ...] [NAME=RESULTS.json ...]

Every inventory is brought up, provisioned and given all lessons, and all of their statements are checked. With
--lesson these alone are, and their rows of the page are replaced. A file of results that `clusterlab run -i INVENTORY
--json RESULTS.json` wrote, on virtual machines say, is a column more. It ends with 1 when a statement failed or could
not be checked, or an unsupported one took longer than a moment.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from clusterlab.model import play_names
from clusterlab.results import Outcome
from tests.support.check_cases import PLAYBOOKS, told
from tests.support.play_bench import provisioned

PAGE = PLAYBOOKS.parent / "docs" / "inventories.md"
OTHERS = Path(__file__).parents[1] / "support" / "inventories"
INVENTORIES: Mapping[str, tuple[Path, str]] = {
    "default": (PLAYBOOKS.parent / "inventory/default.yml", "two Docker hosts and a gateway that serves NFS and iSCSI"),
    "ha": (PLAYBOOKS.parent / "inventory/ha.yml", "three managers that run no tasks, two workers, a gateway"),
    "home": (OTHERS / "home.yml", "the gateway is a Docker host and the manager, too"),
    "names": (OTHERS / "names.yml", "hosts, exports and LUNs with other names"),
    "five": (OTHERS / "five.yml", "five Docker hosts, three of them managers, one paused"),
    "two-servers": (OTHERS / "two-servers.yml", "two NFS servers"),
    "no-servers": (OTHERS / "no-servers.yml", "two Docker hosts, neither NFS nor iSCSI"),
    "one": (OTHERS / "one.yml", "a single Docker host, no Swarm"),
}
_LACKING = re.compile(r"^(?:volume \S+ )?needs (\w+), which \S+ lacks: (.*)")
_REASON = re.compile(r"^\d+\. (.*)$", re.MULTILINE)
AT_ONCE = 1.0  # seconds in which an unsupported statement is reported
_GOOD = (Outcome.PASS, Outcome.FLAKY)
_HEAD = """# Lessons and inventories

`python -m tests.bench.inventories` writes this page: it brings each inventory up with real engines, applies all
lessons and checks every statement of theirs. Each cell says how many statements pass. What an inventory or its
machines lack is unsupported, for the reason whose number stands behind it. Machines in namespaces share the kernel of
the computer: what that kernel lacks, such as an NFS server, needs virtual machines ([lessons.md](lessons.md)).
"""


class Statement(NamedTuple):
    """One statement of a lesson on one inventory."""

    play: str
    outcome: Outcome
    reason: str
    seconds: float


def lessons() -> list[str]:
    """Every play that comes with the project, but for the drills."""
    return [name for name in play_names(PLAYBOOKS) if not name.startswith("drills/")]


def statements(name: str, plays: list[str]) -> list[Statement]:
    """Every statement of some lessons on an inventory; what is wrong is printed."""
    path, _ = INVENTORIES[name]
    with tempfile.TemporaryDirectory() as folder, provisioned(path, Path(folder)) as stand:
        report = stand.apply(plays)
        assert report.ok, (report.failed, report.blocked)
        results = stand.check(plays)
    for one in results:
        if one.outcome not in (*_GOOD, Outcome.UNSUPPORTED):
            print(f"{name}: {one.play}: {one.check}\n{told(one)}", file=sys.stderr)
    return [Statement(one.play, one.outcome, _reason(one.hint), one.seconds) for one in results]


def read(argument: str) -> tuple[str, list[Statement]]:
    """NAME=RESULTS.json as a column."""
    name, _, file = argument.partition("=")
    results: list[dict[str, Any]] = json.loads(Path(file).read_text(encoding="utf-8"))["results"]
    return name, [
        Statement(one["play"], Outcome(one["outcome"]), _reason(one["hint"]), one["seconds"]) for one in results
    ]


def _reason(hint: str) -> str:
    """Why a statement is unsupported, the same whichever host and volume it is about."""
    found = _LACKING.match(hint)
    return f"{found[1]}: {found[2]}" if found else hint


def page(columns: Mapping[str, Sequence[Statement]], plays: Sequence[str], before: str = "") -> str:
    """The page: what the inventories are, the table, and why statements are unsupported.

    Rows of other lessons are those of the page `before`, which must have the same columns.
    """
    head = f"| lesson | {' | '.join(columns)} |"
    assert not before or head in before, f"the page has not the columns {', '.join(columns)}: run all lessons"
    rows = {row.split(" ", 2)[1]: row for row in before.partition(head)[2].splitlines() if row.startswith("| ")}
    found = (one.reason for of in columns.values() for one in of if one.outcome is Outcome.UNSUPPORTED)
    reasons = list(dict.fromkeys([*_REASON.findall(before), *found]))
    lines = [_HEAD, "| inventory | |", "|---|---|"]
    lines += [f"| `{name}` | {INVENTORIES[name][1]} |" for name in columns if name in INVENTORIES]
    lines += ["", head, "|---" * (len(columns) + 1) + "|"]
    for play in plays:
        cells = [_cell([one for one in of if one.play == play], reasons) for of in columns.values()]
        rows[play] = f"| {play} | {' | '.join(cells)} |"
    lines += [rows[name] for name in lessons() if name in rows]
    lines += ["", *(f"{number}. {reason}" for number, reason in enumerate(reasons, 1))]
    return "\n".join(lines) + "\n"


def _cell(found: Sequence[Statement], reasons: Sequence[str]) -> str:
    """How many of its statements pass, and what became of the others."""
    counts = Counter(one.outcome for one in found)
    good = sum(counts[outcome] for outcome in _GOOD)
    why = sorted({reasons.index(one.reason) + 1 for one in found if one.outcome is Outcome.UNSUPPORTED})
    numbers = f" ({', '.join(map(str, why))})" if why else ""
    bad = [
        f"**{counts[one]} {one.value}**" for one in Outcome if one not in (*_GOOD, Outcome.UNSUPPORTED) and counts[one]
    ]
    return ", ".join([f"{good} of {len(found)}{numbers}", *bad])


def _wrong(columns: Mapping[str, Sequence[Statement]]) -> Iterator[str]:
    for name, found in columns.items():
        for one in found:
            if one.outcome not in (*_GOOD, Outcome.UNSUPPORTED):
                yield f"{name}: {one.play}: {one.outcome.value}"
            elif one.outcome is Outcome.UNSUPPORTED and one.seconds > AT_ONCE:
                yield f"{name}: {one.play}: unsupported only after {one.seconds:.1f} s"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=INVENTORIES, help="this inventory alone, and no page")
    parser.add_argument("--lesson", action="append", choices=lessons(), help="this lesson alone")
    parser.add_argument("runs", nargs="*", type=read, metavar="NAME=RESULTS.json")
    given = parser.parse_args()
    plays, columns = given.lesson or lessons(), {}
    with tempfile.TemporaryDirectory() as state:
        os.environ["XDG_STATE_HOME"] = state
        for name in given.only or INVENTORIES:
            columns[name] = statements(name, plays)
            print(f"{name}: {_cell(columns[name], [one.reason for one in columns[name]])}", flush=True)
    columns |= dict(given.runs)
    wrong = list(_wrong(columns))
    before = PAGE.read_text(encoding="utf-8") if given.lesson and not given.only else ""
    text = page(columns, plays, before)
    if given.only:
        print(text)
    else:
        PAGE.write_text(text, encoding="utf-8")
    print("\n".join(wrong) or "every statement passes or is unsupported at once")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
