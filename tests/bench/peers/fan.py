"""One command on many hosts that are SSH servers and nothing else."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from tests.bench.fan_out import servers

from .environment import SUITES, Peers, Reach, run
from .report import OURS, Measured
from .rounds import Action, interleaved


def measure(folder: Path, peers: Peers, sizes: Sequence[int], rounds: int) -> Iterator[Measured]:
    """The work for each number of hosts."""
    with servers(folder / "servers", max(sizes)) as targets:
        for size in sizes:
            some = dict(list(targets.items())[:size])
            reach = Reach.of(folder / f"reach{size}", some, {"everybody": list(some)})
            try:
                yield interleaved(
                    f"one command on {size} hosts", _contestants(peers, reach), rounds, before=reach.close
                )
            finally:
                reach.close()


def _contestants(peers: Peers, reach: Reach) -> dict[str, Action]:
    python = peers.program("python")
    raw = ["all", "-i", str(reach.ansible_hosts), "-m", "raw", "-a", "true", "--forks", "50"]
    env = {"ANSIBLE_CONFIG": str(reach.ansible_config)}
    return {
        OURS: partial(run, [sys.executable, str(SUITES / "all_hosts_clusterlab.py"), str(reach.hosts)]),
        "Ansible": partial(run, [peers.program("ansible"), *raw], env=env),
        "pyinfra": partial(run, [peers.program("pyinfra"), "-y", str(reach.pyinfra_hosts), "exec", "--", "true"]),
        "Fabric": partial(run, [python, str(SUITES / "all_hosts_fabric.py"), str(reach.hosts)]),
        "asyncssh": partial(run, [python, str(SUITES / "all_hosts_asyncssh.py"), str(reach.hosts)]),
    }
