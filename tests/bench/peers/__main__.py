"""clusterlab beside Ansible, pyinfra, Fabric and asyncssh, in one run: `make bench-peers`.

    sudo .venv/bin/python -m tests.bench.peers [--rounds 3] [--hosts 50 500] [--write]

The peers are installed into build/peers. Everybody does the same work in each round: one command on many SSH servers.
With --write, the table of docs/performance.md is replaced.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from . import fan
from .environment import ROOT, Peers
from .report import table, write

DOCUMENT = ROOT / "docs" / "performance.md"


def main(arguments: argparse.Namespace) -> None:
    peers = Peers(ROOT / "build" / "peers")
    peers.install()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        measured = list(fan.measure(Path(name), peers, arguments.hosts, arguments.rounds))
    about = f"{os.cpu_count()} processors, load {load:.1f} before, {arguments.rounds} rounds."
    text = table(measured, peers.versions(), about)
    print(text)
    if arguments.write:
        write(DOCUMENT, text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--hosts", nargs="+", type=int, default=[50, 500])
    parser.add_argument("--write", action="store_true", help="replace the table of docs/performance.md")
    main(parser.parse_args())
