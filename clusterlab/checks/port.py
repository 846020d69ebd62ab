"""port: does a TCP port accept a connection."""

from __future__ import annotations

import math

from clusterlab.model.checks import PortProbe
from clusterlab.remote.host import Completed

from . import reach
from .finding import Finding
from .place import Place, Places
from .reach import Reach

_HINT = (
    "refused: nothing listens there on that address; timed out: something drops the packets; "
    "look at `docker ps` (ports) and `ss -ltn` on the host"
)
_TIMED_OUT = 124  # exit code of timeout(1)


def ask(probe: PortProbe, places: Places) -> list[Finding]:
    """The port must accept (or must not)."""
    return reach.ask(places, probe, lambda asked, place: _reach(asked, place, places), told, _HINT)


def parse(completed: Completed, command: str) -> Reach:
    """Read how bash's /dev/tcp under timeout(1), or busybox's nc, ended. Raises NotUnderstood."""
    if completed.ok:
        return Reach(True, "open", command, completed.output)
    if completed.exit == _TIMED_OUT:
        return Reach(False, "timed out", command, completed.output)
    return reach.kept_away(completed, command, completed.stderr)


def command(probe: PortProbe, tool: str, target: str, port: str) -> list[str]:
    """What tries to connect with bash or busybox's nc, and succeeds when it could."""
    wait = str(max(1, math.ceil(probe.timeout)))
    if tool == "bash":
        # The target is an argument of the script, never a part of it.
        return ["timeout", wait, "bash", "-c", 'exec 3<>"/dev/tcp/$1/$2"', "bash", target, port]
    return ["nc", "-w", wait, target, port, "-e", "true"]  # once connected, nc becomes `true`


def told(probe: PortProbe) -> str:
    port = probe.port if isinstance(probe.port, int) else f"({probe.port})"
    return f"port {port} of {probe.to} is open"


def _reach(probe: PortProbe, place: Place, places: Places) -> Reach:
    tool = places.tool(place, "bash", "nc")
    if tool == "bash":
        places.tool(place, "timeout")
    argv = command(probe, tool, places.target(place, probe.to), str(places.port(probe.port)))
    completed = places.run(place, argv, timeout=probe.timeout + 30)
    return parse(completed, place.typed(argv))
