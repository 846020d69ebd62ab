"""How a lab in namespaces grows with its hosts: time of each verb and memory per host, as a table.

    sudo .venv/bin/python -m tests.bench.growth [HOSTS ...]        (default: 3 8 16)

Every host is a Docker host with a volume and a container of its own, and a check that asks in it. `plan`, `apply` and
`check` are measured when there is nothing left to do. Memory is what the processes of a host hold before, without page
cache. The last lines give what one more host costs (the slope of a straight line through the points), and the exponent
of the growth: 1 is linear.
"""

from __future__ import annotations

import math
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from clusterlab.checks import run_checks
from clusterlab.machines.namespaces.machines import NamespacesMachines
from clusterlab.model import load_lab
from clusterlab.model.lab import Lab
from clusterlab.plan.apply import apply
from clusterlab.plan.graph import carry_out
from clusterlab.progress import Silent
from clusterlab.remote import Hosts
from clusterlab.results import Outcome, Result

T = TypeVar("T")
MEASURES = ("up s", "up again s", "first apply s", "plan s", "apply s", "check s", "down s", "MB per host")


def main(sizes: Sequence[int]) -> None:
    print("hosts  " + "".join(f"{measure:>15}" for measure in MEASURES))
    rows = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            rows.append(measure(make_lab(Path(folder), size)))
        print(f"{size:5}  " + "".join(f"{rows[-1][name]:15.2f}" for name in MEASURES), flush=True)
    if len(sizes) > 1:
        for title, line in (("per host", slope), ("exponent", exponent)):
            values = [line(sizes, [row[name] for row in rows]) for name in MEASURES]
            print(f"{title:8}" + "".join(f"{value:15.3f}" for value in values)[1:])


def make_lab(folder: Path, size: int) -> Lab:
    """A lab of so many Docker hosts, with one play."""
    names = [f"host{number}" for number in range(1, size + 1)]
    hosts = [f"  {name}: {{address: 10.66.0.{10 + i}, roles: [docker]}}" for i, name in enumerate(names)]
    inventory = folder / "inventory.yml"
    inventory.write_text(
        f"lab: growth-{os.getpid()}\nmachines: namespaces\nnetwork: {{subnet: 10.66.0.0/24}}\n"
        "images:\n  shell: {build: busybox}\nhosts:\n" + "\n".join(hosts) + "\n"
    )
    play = ["title: One volume and one container on each host", "volumes:", "  data: {hosts: docker}", "containers:"]
    play += [f'  on-{name}: {{host: {name}, image: shell, volumes: ["data:/data"]}}' for name in names]
    play += ["checks:"]
    for name in names:
        play += [f"  - title: the container on {name} answers"]
        play += [f"    command: {{in: on-{name}, run: hostname, exit: 0}}"]
    (folder / "playbooks").mkdir()
    (folder / "playbooks" / "growth.yml").write_text("\n".join(play) + "\n")
    return load_lab(inventory, (), folder / "playbooks")


def measure(lab: Lab) -> dict[str, float]:
    machines = NamespacesMachines(lab)
    row: dict[str, float] = {}

    def timed(name: str, function: Callable[[], T]) -> T:
        began = time.monotonic()
        result = function()
        row[name] = time.monotonic() - began
        return result

    try:
        timed("up s", lambda: machines.up(Silent()))
        timed("up again s", lambda: machines.up(Silent()))
        memory = [used for used in machines.memory().values() if used is not None]
        row["MB per host"] = sum(memory) / len(memory) / 1e6 if memory else math.nan
        with Hosts(machines.targets()) as hosts:
            missing = machines.unsupported()
            report = timed("first apply s", lambda: carry_out(apply(lab, hosts, False, missing, Silent()), Silent()))
            assert report.ok, report.failed
            changes = timed("plan s", lambda: apply(lab, hosts, False, missing, Silent()))
            assert not changes, changes
            timed("apply s", lambda: carry_out(apply(lab, hosts, False, missing, Silent()), Silent()))
            results = timed("check s", lambda: run_checks(lab, hosts, missing, _ignore, Silent()))
            bad = [result for result in results if result.outcome is not Outcome.PASS]
            assert results, "there were no checks"
            assert not bad, bad
    finally:
        timed("down s", lambda: machines.down(Silent()))
    return row


def slope(sizes: Sequence[float], values: Sequence[float]) -> float:
    """The slope of the straight line through the points (least squares)."""
    middle, height = sum(sizes) / len(sizes), sum(values) / len(values)
    above = sum((x - middle) * (y - height) for x, y in zip(sizes, values, strict=True))
    return above / sum((x - middle) ** 2 for x in sizes)


def exponent(sizes: Sequence[float], values: Sequence[float]) -> float:
    """The power of the number of hosts that the values grow with."""
    return slope([math.log(size) for size in sizes], [math.log(value) for value in values])


def _ignore(result: Result) -> None:
    pass


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or [3, 8, 16])
