"""The LAN of a lab as `up` sees it.

The switch process, running and knowing every host.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from clusterlab.errors import ClusterlabError, DeadlineExceeded

from . import processes

_START_SECONDS = 30.0


@dataclass(frozen=True)
class Switch:
    """A running switch: its process, and the loopback port of each host's SSH."""

    pid: int
    ports: dict[str, int]


def running_switch(lab_folder: Path) -> Switch | None:
    """The switch of a lab, or None when it does not run.

    It wrote the file itself, before it could be of use.
    """
    try:
        said = json.loads((lab_folder / "switch.json").read_text())
        switch = Switch(int(said["pid"]), dict(said["ports"]))
    except (FileNotFoundError, ValueError, KeyError):
        return None
    return switch if processes.belongs(switch.pid, lab_folder) else None


def ensure_switch(lab_folder: Path, ports: dict[str, int]) -> Switch:
    """A switch that knows every host of `ports`.

    Wants these ports for them, 0 for any, and says what it got.
    """
    switch = running_switch(lab_folder)
    if switch and switch.ports.keys() >= ports.keys():
        return switch
    if switch:
        processes.kill(switch.pid, lab_folder)
        processes.wait_gone(switch.pid, lab_folder, "the former LAN between the hosts", seconds=10)
        ports = {host: switch.ports.get(host, port) for host, port in ports.items()}
    log = lab_folder / "switch.log"
    script = Path(__file__).with_name("switch.py")
    wanted = [f"{host}={port}" for host, port in ports.items()]
    with log.open("wb") as output:
        try:
            subprocess.run(  # returns when the switch closes its output: it is ready, or has ended
                processes.on_its_own(sys.executable, "-I", str(script), str(lab_folder), *wanted),
                env=processes.environment(lab_folder),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=output,
                check=True,
                timeout=_START_SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise DeadlineExceeded(
                f"waited {_START_SECONDS:g} s for the LAN between the hosts", detail=log.read_text()[-2000:]
            ) from None
    switch = running_switch(lab_folder)
    if switch is None:
        raise ClusterlabError("the LAN between the hosts could not be created", detail=log.read_text()[-2000:])
    return switch
