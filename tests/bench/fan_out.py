"""Many hosts that are SSH servers and nothing else: connect, one command, disconnect.

    .venv/bin/python -m tests.bench.fan_out [HOSTS ...]        (default: 50 500)

Each server is a process of its own on a port of the loopback. Seconds are the median of three rounds, and the last
column is what one host costs. A host that does not answer is an error.
"""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from clusterlab.errors import ClusterlabError
from clusterlab.remote import Hosts
from clusterlab.remote.target import Target
from clusterlab.waiting import wait_until
from tests.support.sshd import Sshd, free_port

ROUNDS = 3


def main(sizes: Sequence[int]) -> None:
    print(f"{'hosts':>6}  {'seconds':>8}  {'ms per host':>12}  load before")
    with tempfile.TemporaryDirectory() as folder, servers(Path(folder), max(sizes)) as targets:
        for size in sizes:
            load = os.getloadavg()[0]
            some = dict(list(targets.items())[:size])
            seconds = statistics.median(ask(some) for _ in range(ROUNDS))
            print(f"{size:>6}  {seconds:>8.2f}  {1000 * seconds / size:>12.1f}  {load:.1f}", flush=True)


@contextmanager
def servers(folder: Path, count: int) -> Iterator[dict[str, Target]]:
    """So many servers with the same keys, as hosts."""
    with ExitStack() as running:
        sshd = Sshd(folder / "sshd")
        sshd.start()
        running.callback(sshd.stop)
        ports = [sshd.port]
        while len(ports) < count:
            if (port := free_port()) not in ports:
                ports.append(port)
                running.enter_context(_server(sshd.folder / "sshd_config", port))
        wait_until(lambda: all(map(_answers, ports)), "all servers to listen", 60.0)
        key = sshd.host_keys["ed25519"].with_suffix(".pub").read_text()
        known = folder / "known_hosts"
        known.write_text("".join(f"[127.0.0.1]:{port} {key}" for port in ports))
        target = sshd.target(known_hosts=(known,))
        yield {f"host{number}": replace(target, name=f"host{number}", port=port) for number, port in enumerate(ports)}


@contextmanager
def _server(config: Path, port: int) -> Iterator[None]:
    command = ["/usr/sbin/sshd", "-D", "-f", str(config), "-p", str(port), "-E", str(config.with_name("log"))]
    with subprocess.Popen(command) as process:
        try:
            yield
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def ask(targets: dict[str, Target]) -> float:
    """Seconds until all hosts have answered one command and all connections are closed."""
    began = time.monotonic()
    with Hosts(targets) as hosts:
        answers = hosts.each(list(hosts), lambda host: host.run("true", check=True).exit)
    seconds = time.monotonic() - began
    for answer in answers.values():
        if isinstance(answer, ClusterlabError):
            raise answer
    assert len(answers) == len(targets)
    return seconds


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or [50, 500])
