"""What must not happen, provoked on real hosts in namespaces; as root:

    sudo .venv/bin/python -m tests.bench.safety [--code PATH] [NAME ...]

Every scenario is played with this code, and with that of the checkout at PATH, which has a .venv of its own: a git
worktree of an older commit, for example. Names are those of scenarios or, such as `cluster`, of the machines that they
need; --list prints them. The table says of each scenario what was seen. It ends with 1 when something that must not
happen happened with this code, or a scenario could not be played with it.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.bench.safety import actions, data, foreign, managers, own, secrets, sharing, verdicts
from tests.bench.safety.elsewhere import ELSEWHERE
from tests.bench.safety.scenario import SCENARIOS, Scenario, Seen
from tests.bench.safety.stand import THIS, Code, Stand, stand

MODULES = (managers, actions, foreign, sharing, data, verdicts, secrets, own)
"""The scenarios, in the order in which they are shown."""
Row = Mapping[str, Seen | None]
"""What was seen of each scenario; None for one that could not be played."""


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.safety", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--code", type=Path, metavar="PATH", help="a checkout of another version, with a .venv")
    parser.add_argument("--list", action="store_true", help="print the scenarios, and what is shown by tests alone")
    parser.add_argument("names", nargs="*", metavar="NAME")
    given = parser.parse_args()
    every = [one for module in MODULES for one in SCENARIOS.values() if one.show.__module__ == module.__name__]
    if unknown := set(given.names) - SCENARIOS.keys() - {one.machines for one in SCENARIOS.values()}:
        parser.error(f"no scenario is called {', '.join(sorted(unknown))}: --list prints them")
    if given.list:
        print("\n".join(f"{one.name} ({one.machines}): {one.must_not}" for one in every))
        print("\n".join(rest()))
        return 0
    codes = {"this code": THIS} | ({f"the code at {given.code}": Code.at(given.code)} if given.code else {})
    chosen = [one for one in every if not given.names or {one.name, one.machines} & set(given.names)]
    seen = {title: dict(played(code, title, chosen)) for title, code in codes.items()}
    print("\n".join(table(chosen, seen)))
    if not given.names:
        print("\n" + "\n".join(rest()))
    print("\n" + "\n".join(counts(seen)))
    return 1 if any(one is None or one.harm for one in seen["this code"].values()) else 0


def played(code: Code, title: str, chosen: Sequence[Scenario]) -> Iterator[tuple[str, Seen | None]]:
    """What is seen of each scenario with a version."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = str(Path(folder) / "state")
        for machines in dict.fromkeys(one.machines for one in chosen):
            with stand(machines, code, Path(folder) / machines) as made:
                for one in (one for one in chosen if one.machines == machines):
                    seen = _seen(one, made)
                    print(f"{title}: {one.name}: {cell(seen)}", file=sys.stderr, flush=True)
                    yield one.name, seen


def _seen(one: Scenario, made: Stand) -> Seen | None:
    """What is seen of a scenario; None, with the reason on standard error, when it could not be played."""
    try:
        made.empty()
        return one.show(made)
    except Exception as error:  # noqa: BLE001  # the next scenario may be played all the same
        print(f"{one.name}: {type(error).__name__}: {error}", file=sys.stderr)
        return None


def table(chosen: Sequence[Scenario], seen: Mapping[str, Row]) -> list[str]:
    """The scenarios and what was seen of each, as a table in Markdown; `seen` has a column per version."""
    lines = [f"| scenario | what must not happen | {' | '.join(seen)} |", "|---" * (2 + len(seen)) + "|"]
    for one in chosen:
        cells = [cell(column[one.name]) for column in seen.values()]
        lines.append(f"| {one.name} | {one.must_not} | {' | '.join(text.replace('|', '/') for text in cells)} |")
    return lines


def cell(seen: Seen | None) -> str:
    if seen is None:
        return "could not be played"
    return f"**HAPPENS**: {seen.what}" if seen.harm else f"safe: {seen.what}"


def rest() -> list[str]:
    """What tests alone show."""
    lines = ["| what must not happen | why it is not shown here | test |", "|---|---|---|"]
    return [*lines, *(f"| {must_not} | {why} | {test} |" for must_not, why, test in ELSEWHERE)]


def counts(seen: Mapping[str, Row]) -> list[str]:
    """A line per version: of how many scenarios the harm was seen."""
    lines = []
    for title, row in seen.items():
        harm = sum(1 for one in row.values() if one and one.harm)
        failed = sum(1 for one in row.values() if one is None)
        more = f", {failed} could not be played" if failed else ""
        lines.append(f"{title}: {harm} of {len(row)} happen{more}")
    return lines


if __name__ == "__main__":
    sys.exit(main())
