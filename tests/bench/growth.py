"""How one Swarm in namespaces grows with its hosts: time of each verb and memory per host, as a table.

    sudo .venv/bin/python -m tests.bench.growth [HOSTS ...]        (default: 3 16 50)

Every host is a node with a volume and a container of its own on one overlay network, and has a task of a global
service there. Each container sends packets to all others, by their names. `plan`, `apply` and `check` are measured when
there is nothing left to do. Memory is what the processes of a host hold before, without page cache. The last lines give
what one more host costs (the slope of a straight line through the points), and the exponent of the growth: 1 is linear.

A size that cannot be had ends the table with the stage and the error. Of what all hosts share of this kernel, what is
near its limit is printed for each size.
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
from clusterlab.errors import ClusterlabError
from clusterlab.machines.namespaces.machines import NamespacesMachines
from clusterlab.machines.namespaces.shared_limits import shared_limits
from clusterlab.model import load_lab
from clusterlab.model.lab import Lab
from clusterlab.plan.apply import apply
from clusterlab.plan.graph import carry_out
from clusterlab.plan.provision import provision
from clusterlab.plan.report import Report
from clusterlab.progress import Silent
from clusterlab.remote import Hosts
from clusterlab.results import Outcome, Result

T = TypeVar("T")
MEASURES = (
    "up s", "up again s", "provision s", "first apply s", "plan s", "apply s", "check s", "down s", "MB per host"
)  # fmt: skip
_MANAGERS = 3


class Failed(Exception):
    """A size that this machine cannot have, with the stage and the reason."""


def main(sizes: Sequence[int]) -> int:
    print("hosts  " + "".join(f"{measure:>15}" for measure in MEASURES))
    rows: dict[int, dict[str, float]] = {}
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            try:
                rows[size] = measure(make_lab(Path(folder), size))
            except Failed as error:
                print(f"{size:5}  {error}", flush=True)
                break
        print(f"{size:5}  " + "".join(f"{rows[size][name]:15.2f}" for name in MEASURES), flush=True)
    if len(rows) > 1:
        for title, line in (("per host", slope), ("exponent", exponent)):
            values = [line(list(rows), [row[name] for row in rows.values()]) for name in MEASURES]
            print(f"{title:8}" + "".join(f"{value:15.3f}" for value in values)[1:])
    return 0 if len(rows) == len(sizes) else 1


def make_lab(folder: Path, size: int) -> Lab:
    """A lab of so many nodes, with one play."""
    names = [f"host{number}" for number in range(1, size + 1)]
    managers = _MANAGERS if size >= _MANAGERS else 1
    roles = {name: "swarm_manager" if number < managers else "swarm_worker" for number, name in enumerate(names)}
    hosts = [
        f"  {name}: {{address: 10.66.0.{10 + number}, roles: [docker, {roles[name]}]}}"
        for number, name in enumerate(names)
    ]
    inventory = folder / "inventory.yml"
    inventory.write_text(
        f"lab: growth-{os.getpid()}\nmachines: namespaces\nnetwork: {{subnet: 10.66.0.0/24}}\n"
        # each node takes three addresses of a network: for its container, its task, and itself
        "swarm: {default_addr_pool: [10.128.0.0/10], subnet_size: 20}\n"
        "images:\n  shell: {build: busybox}\nhosts:\n" + "\n".join(hosts) + "\n"
    )
    play = ["title: One volume and one container on each host, all on one network", "volumes:"]
    play += ["  data: {hosts: docker}", "networks:", "  everybody: {driver: overlay, attachable: true}", "services:"]
    play += ["  everywhere: {image: shell, command: [sleep, infinity], networks: [everybody],"]
    play += ["               deploy: {mode: global, endpoint_mode: dnsrr}}", "containers:"]
    play += [
        f"  on-{name}: {{host: {name}, image: shell, command: [sleep, infinity], "
        'volumes: ["data:/data"], networks: [everybody]}'
        for name in names
    ]
    play += ["checks:", "  - title: each node has a task"]
    play += [f'    inspect: {{tasks: everywhere, path: "*.Node", value: {{lines: {size}}}}}', "    within: 2m"]
    others = " ".join(f"on-{name}" for name in names)
    reach = f"for name in {others}; do ping -q -c 1 -W 2 $name || exit; done"
    for name in names:
        play += [f"  - title: the container on {name} reaches all others by their names", "    within: 2m"]
        play += [f'    command: {{in: on-{name}, run: "{reach}", exit: 0, timeout: 2m}}']
    (folder / "playbooks").mkdir()
    (folder / "playbooks" / "growth.yml").write_text("\n".join(play) + "\n")
    return load_lab(inventory, (), folder / "playbooks")


def measure(lab: Lab) -> dict[str, float]:
    """Seconds of each verb. Raises Failed."""
    machines = NamespacesMachines(lab)
    row: dict[str, float] = {}
    stage = ""

    def timed(name: str, function: Callable[[], T]) -> T:
        nonlocal stage
        stage = name.removesuffix(" s")
        began = time.monotonic()
        result = function()
        row[name] = time.monotonic() - began
        return result

    try:
        timed("up s", lambda: machines.up(Silent()))
        timed("up again s", lambda: machines.up(Silent()))
        memory = [used for used in machines.memory().values() if used is not None]
        row["MB per host"] = sum(memory) / len(memory) / 1e6 if memory else math.nan
        missing = machines.unsupported()
        with Hosts(machines.targets()) as hosts:
            converged(timed("provision s", lambda: carry_out(provision(lab, hosts, missing), Silent())))
            converged(timed("first apply s", lambda: carry_out(apply(lab, hosts, False, missing, Silent()), Silent())))
            changes = timed("plan s", lambda: apply(lab, hosts, False, missing, Silent()))
            if changes:
                raise Failed(f"apply left {len(changes)} changes: {changes[0].key}: {changes[0].reason}")
            timed("apply s", lambda: carry_out(apply(lab, hosts, False, missing, Silent()), Silent()))
            results = timed("check s", lambda: run_checks(lab, hosts, missing, _ignore, Silent()))
            passed(results)
    except ClusterlabError as error:
        raise Failed(f"{stage}: {error.message.splitlines()[0]}") from error
    finally:
        for one in shared_limits(len(lab.inventory.hosts)):
            if one.near:
                print(f"       near its limit: {one}", flush=True)
        timed("down s", lambda: machines.down(Silent()))
    return row


def converged(report: Report) -> None:
    """Raise ClusterlabError unless every change was made."""
    if not report.ok:
        reasons = [f"{one.change.key}: {one.error.message}" for one in report.failed]
        reasons += [f"{change.key}: {change.blocked}" for change in report.blocked]
        raise ClusterlabError(f"{len(reasons)} changes were not made; {reasons[0]}")


def passed(results: Sequence[Result]) -> None:
    """Raise Failed unless statements were proven, all of them."""
    bad = [result for result in results if result.outcome is not Outcome.PASS]
    if bad or not results:
        seen = bad[0].evidence[-1].found if bad and bad[0].evidence else ""
        raise Failed(
            f"check: {len(bad)} of {len(results)} statements do not pass; {bad[0].check if bad else ''}: {seen}"
        )


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
    sys.exit(main([int(argument) for argument in sys.argv[1:]] or [3, 16, 50]))
