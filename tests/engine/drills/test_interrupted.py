"""Ctrl-C in a drill: the fault is healed, the probers are gone, and what was seen until then is in the report."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from clusterlab.faults.record import recorded
from clusterlab.model import load_lab
from clusterlab.waiting import wait_until
from tests.support.labs import lab_up

pytestmark = pytest.mark.engine

INVENTORY = {
    "lab": f"interrupted-{os.getpid()}",
    "machines": "namespaces",
    "network": {"subnet": "10.81.0.0/24"},
    "hosts": {"gw": {"address": "10.81.0.1"}, "host1": {"address": "10.81.0.11"}},
}
PLAY = """
title: the SSH server of a host
drills:
  - title: a host is cut off
    probers: {ssh: {command: [ping, -c1, -W1, "${hosts.host1.address}"], from: gw, every: 1s, timeout: 2s}}
    faults: [{isolate: {host: host1, lasts: 10m}}]
    steady: 3s
    during: [{prober: ssh, expect: fails}]
  - title: and once again
    probers: {ssh: {command: [ping, -c1, -W1, "${hosts.host1.address}"], from: gw, every: 1s, timeout: 2s}}
    faults: [{isolate: {host: host1, lasts: 10m}}]
    during: [{prober: ssh, expect: fails}]
"""
_LEFT = (
    "find /run/clusterlab/drills /run/clusterlab/faults -mindepth 1; nft list tables | grep clusterlab; "
    "pgrep -af '[t]icks[.]sh'"
)


def test_what_was_seen_is_kept_and_all_is_healed(tmp_path: Path) -> None:
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks" / "cut.yml").write_text(PLAY)
    file = tmp_path / "inventory.yml"
    file.write_text(yaml.safe_dump(INVENTORY, sort_keys=False))
    lab = load_lab(file, [], tmp_path / "playbooks")
    with lab_up(lab) as up:
        command = [sys.executable, "-m", "clusterlab", "drill", "-i", str(file), "--json", str(tmp_path / "out.json")]
        printed = tmp_path / "printed"
        with printed.open("w") as output:
            drill = subprocess.Popen(
                [*command, "--html", str(tmp_path / "out.html")], cwd=tmp_path, stdout=output, stderr=output
            )
        wait_until(
            lambda: "during the fault, " in printed.read_text() or drill.poll() is not None, "the fault to last", 90
        )
        drill.send_signal(signal.SIGINT)
        drill.wait(timeout=120)
        said = printed.read_text()
        assert drill.returncode == 3, said
        assert "interrupted" in said
        assert recorded(lab.name) == []
        assert [up.hosts[name].run(_LEFT).stdout for name in up.hosts] == ["", ""]
        assert up.hosts["gw"].run("ping -n -q -c 1 -W 5 10.81.0.11").ok
    first, second = json.loads((tmp_path / "out.json").read_text())["results"]
    assert (first["check"], first["outcome"]) == ("a host is cut off", "not-run"), said
    assert first["hint"].endswith("; no fault remains")
    assert "until then: " in first["evidence"][0]["found"]
    assert "#" in first["timeline"]["strips"][0]["cells"]
    assert (second["outcome"], second["hint"]) == ("not-run", "interrupted before it began")
    assert "a host is cut off" in (tmp_path / "out.html").read_text()
