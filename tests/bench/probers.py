"""What probers and writers cost the host that they run on, in namespaces: a table.

    sudo .venv/bin/python -m tests.bench.probers [--seconds N]

CPU is the share of one processor that the loop and all that it runs take, as drills show it. The rate is the share of
its requests that it made: below 80 % a drill is not begun. Latencies are what it measured: tcp of
another host, http of the engine.
"""

from __future__ import annotations

import argparse
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from clusterlab.drills.availability import latency
from clusterlab.drills.plan import Loop, alone, running
from clusterlab.drills.ticking import FOLDER, fetch_all, start_all
from tests.support.labs import EngineLab, lab_up, namespaces_lab

PERIODS = (1.0, 0.5, 0.1)
_PORT = 22


@dataclass(frozen=True)
class Row:
    """One kind of prober at one rate."""

    kind: str
    period: float
    cpu: float
    rate: float
    latency: str


def main(seconds: float) -> None:
    print(f"{'prober':10}{'every s':>9}{'CPU':>9}{'rate':>8}  p50/p95/max")
    with lab_up(namespaces_lab(f"probers-{os.getpid()}", "10.66.0.0/24", docker_hosts=1)) as up:
        for kind, command in commands(up).items():
            for period in PERIODS:
                row = measured(up, kind, command, period, seconds)
                print(f"{row.kind:10}{row.period:9g}{row.cpu:9.2%}{row.rate:8.0%}  {row.latency}", flush=True)


def commands(up: EngineLab) -> dict[str, Sequence[str]]:
    """What each kind of prober runs, on host1; the server is the SSH server of gw."""
    address = str(up.lab.inventory.hosts["gw"].address)
    tcp = ["timeout", "1", "bash", "-c", 'exec 3<>"/dev/tcp/$0/$1"', address, str(_PORT)]
    http = ["curl", "-sf", "-o", "/dev/null", "--unix-socket", "/var/run/docker.sock", "http://engine/_ping"]
    return {
        "nothing": alone(["true"]),
        "tcp": alone(tcp),
        "http": alone(http),
        "task": ["sh", "-c", f"! {running({'label': ['none']}, 2.0)}"],
        "fsync": ["sh", "-c", 'echo "$0" | dd of=/root/ledger oflag=append conv=notrunc,fsync status=none'],
    }


def measured(up: EngineLab, kind: str, command: Sequence[str], period: float, seconds: float) -> Row:
    """Run one prober for some seconds."""
    loop = Loop(kind, command, period)
    (ticking,) = start_all(up.hosts, f"{FOLDER}/bench", {"host1": [loop]}, seconds + 60)
    try:
        threading.Event().wait(seconds)
        fetch_all([ticking])
        series = ticking.series(kind, kind)
    finally:
        ticking.remove()
    return Row(kind, period, ticking.cost, series.rate, str(latency(series) or "nothing was answered"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=15.0, help="how long each is measured")
    main(parser.parse_args().seconds)
