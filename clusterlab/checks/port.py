"""port: does a TCP port accept a connection."""

from __future__ import annotations

import math
import re

from clusterlab.model.checks import PortProbe
from clusterlab.remote.host import Completed

from . import lan, reach
from .finding import Finding
from .place import Place, Places
from .reach import Reach

_HINT = (
    "refused: nothing listens there on that address; timed out: something drops the packets; "
    "look at `docker ps` (ports) and `ss -ltn` on the host"
)
_TIMED_OUT = (28, 124)  # exit codes of curl and of timeout(1)
_CONNECTED = re.compile(r"^\* Connected to ", re.MULTILINE)  # as curl -v writes it


def ask(probe: PortProbe, places: Places) -> list[Finding]:
    """The port must accept (or must not)."""
    return reach.ask(places, probe, lambda asked, place, kept: _reach(asked, place, places, kept), told, _HINT)


def parse(completed: Completed, command: str) -> Reach:
    """Read how bash's /dev/tcp under timeout(1), busybox's nc, or curl ended. Raises NotUnderstood.

    Curl goes on after it has connected, for as long as the server keeps it waiting.
    """
    if completed.ok or _CONNECTED.search(completed.stderr):
        return Reach(True, "open", command, completed.output)
    if completed.exit in _TIMED_OUT:
        return Reach(False, "timed out", command, completed.output)
    return reach.kept_away(completed, command, completed.stderr)


def command(probe: PortProbe, tool: str, target: str, port: str, card: str = "") -> list[str]:
    """What tries to connect with bash or busybox's nc, and succeeds when it could.

    Of the tools that hosts have, curl can be bound to an interface, `card`; it says when it is connected.
    """
    wait = str(max(1, math.ceil(probe.timeout)))
    if tool == "curl":
        url = f"telnet://[{target}]:{port}" if ":" in target else f"telnet://{target}:{port}"
        return ["curl", "-sS", "-v", "--noproxy", "*", "--interface", card, "--max-time", wait, url]
    if tool == "bash":
        # The target is an argument of the script, never a part of it.
        return ["timeout", wait, "bash", "-c", 'exec 3<>"/dev/tcp/$1/$2"', "bash", target, port]
    return ["nc", "-w", wait, target, port, "-e", "true"]  # once connected, nc becomes `true`


def told(probe: PortProbe) -> str:
    port = probe.port if isinstance(probe.port, int) else f"({probe.port})"
    return f"port {port} of {probe.to} is open"


def _reach(probe: PortProbe, place: Place, places: Places, kept: bool) -> Reach:
    target = places.target(place, probe.to)
    card = lan.card(probe.to, place, places) if kept else ""
    tool = places.tool(place, *(("curl",) if card else ("bash", "nc")))
    if tool == "bash":
        places.tool(place, "timeout")
    argv = command(probe, tool, target, str(places.port(probe.port)), card)
    typed = place.typed(argv)
    if tool == "curl":  # it would send what is typed
        argv, typed = ["sh", "-c", 'exec "$@" < /dev/null', "sh", *argv], f"{typed} < /dev/null"
    return parse(places.run(place, argv, timeout=probe.timeout + 30), typed)
