"""Statements of hosts that have a way out beside the LAN: QEMU's user network, on which the workstation answers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from clusterlab.capabilities import ALL_CAPABILITIES
from clusterlab.checks import run_checks
from clusterlab.model import load_lab
from clusterlab.progress import Silent
from clusterlab.remote import Hosts
from tests.support.check_cases import compare

PLAY = """
title: a way out beside the LAN
checks:
  - title: the way out leads to this computer
    steps:
      - http: {{on: all, url: "http://10.0.2.2:{port}/"}}
      - port: {{on: all, to: 10.0.2.2, port: {port}}}
  - title: the port is not on the LAN
    port: {{on: all, to: 10.0.2.2, port: {port}, open: false, timeout: 2s, control: {{to: host1, port: 22}}}}
  - title: the page is not on the LAN
    http:
      on: [gw, host2]
      url: "http://10.0.2.2:{port}/"
      reachable: false
      timeout: 2s
      control: {{on: gw, url: "http://127.0.0.1:8089/"}}
  - title: a server of the LAN is reached
    port: {{on: gw, to: host1, port: 22, open: false, control: {{to: host2}}}}
"""

SERVE = """
nohup python3 -m http.server 8089 --bind 127.0.0.1 --directory /srv > /dev/null 2>&1 & echo $! > /run/page.pid
for n in $(seq 100); do curl -sf --max-time 1 http://127.0.0.1:8089/ > /dev/null && exit; sleep 0.2; done; exit 1
"""


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """That of a web server on this computer, on loopback, where QEMU's user network leads."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_what_answers_beside_the_lan_proves_nothing(inventory: Path, hosts: Hosts, port: int, tmp_path: Path) -> None:
    (tmp_path / "way-out.yml").write_text(PLAY.format(port=port))
    play = load_lab(inventory, ["way-out"], tmp_path)
    hosts["gw"].run(SERVE, check=True)
    try:
        results = run_checks(play, hosts, ALL_CAPABILITIES, lambda result: None, Silent())
    finally:
        hosts["gw"].run("kill $(cat /run/page.pid); rm /run/page.pid", check=True)
    reached = {"check": "a server of the LAN is reached", "outcome": "fail", "found": ["open"]}
    compare({"expect": [reached]}, results)
