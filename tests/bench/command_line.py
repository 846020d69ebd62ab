"""What the command line costs before it does anything: processor time of `--help` and of completions.

`python -m tests.bench.command_line [ROUNDS]` prints the table of docs/performance.md: medians of several rounds.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[2]
COMMANDS = {
    "`python -c pass`": ["-c", "pass"],
    "`python -c 'import invoke'`": ["-c", "import invoke"],
    "`clusterlab --help`": ["-m", "clusterlab", "--help"],
    "`clusterlab run --help`": ["-m", "clusterlab", "run", "--help"],
    "completion of an inventory": ["-m", "clusterlab", "--complete", "inventories"],
    "completion of a play": ["-m", "clusterlab", "--complete", "plays"],
    "completion of a host": ["-m", "clusterlab", "--complete", "hosts"],
    "completion of a code": ["-m", "clusterlab", "--complete", "codes"],
    "completion of a kind of fault": ["-m", "clusterlab", "--complete", "faults"],
}


def measured(words: list[str]) -> tuple[float, float]:
    """Milliseconds of processor time and of waiting that one process takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    subprocess.run([sys.executable, *words], cwd=ROOT, env=os.environ, stdout=subprocess.DEVNULL, check=True)
    waited = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return 1000 * spent, 1000 * waited


def main(words: list[str]) -> None:
    rounds = int(words[0]) if words else 9
    print("| | processor, ms | wall, ms |")
    print("|---|---|---|")
    samples: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
    for _ in range(rounds + 1):  # interleaved; the first fills the caches
        for name, command in COMMANDS.items():
            samples[name].append(measured(command))
    for name, found in samples.items():
        spent, waited = (median(one[kind] for one in found[1:]) for kind in (0, 1))
        print(f"| {name} | {spent:.0f} | {waited:.0f} |")


if __name__ == "__main__":
    main(sys.argv[1:])
