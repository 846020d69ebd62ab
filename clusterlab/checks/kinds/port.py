"""port: does a TCP port accept a connection."""

from __future__ import annotations

import math
import re
import shlex
from ipaddress import ip_address
from typing import ClassVar

from clusterlab.model.base import Duration
from clusterlab.model.probes import NegatableProbe, Port, PublishedPort, Target, Targets, only
from clusterlab.remote.completed import Completed

from .. import lan
from ..manual.absence import answered, kept_out
from ..manual.lan import NEAR_CARD, leaves_swarm, over_near
from ..manual.lan import card as lan_card
from ..manual.line import ends
from ..manual.where import Where
from ..network import is_name
from ..place import Place
from ..places import Places
from ..reach import ReachKind, Shown
from ..reached import CONNECTED, TIMED_OUT, TRIED, Reach, kept_away
from ..resolve import look_up

_HINT = (
    "refused: nothing listens there on that address; timed out: something drops the packets; "
    "see `docker ps` (ports) and `ss -ltn` on the host"
)
_CONNECT = 'exec 3<>"/dev/tcp/$1/$2"'
# On loopback the engine's own proxy accepts, and only then finds out whether something listens in the container:
# https://docs.docker.com/engine/network/packet-filtering-firewalls/. A server that waits for its client is open.
_CLOSED = 66
_LOOPBACK = f'{_CONNECT} || exit 1; read -r -t 1 -N 1 -u 3; [ "$?" -ne 1 ] || exit {_CLOSED}'
_WITHOUT_INPUT = ["sh", "-c", 'exec "$@" < /dev/null', "sh"]  # curl would send what is typed
_AWAY = f"^exit ({_CLOSED}|124)$"  # bash and timeout(1) print nothing then
_TIMED_OUT = (28, 124)  # exit codes of curl and of timeout(1)
_CONNECTED = re.compile(CONNECTED, re.MULTILINE)


class PortProbe(NegatableProbe):
    """Connect to a TCP port."""

    verdict: ClassVar[str] = "open"
    target: ClassVar[tuple[str, ...]] = ("to", "port")

    to: Targets
    port: Port | PublishedPort
    open: bool = True
    timeout: Duration = 5.0


class PortKind(ReachKind[PortProbe]):
    """The port must accept a connection; for `open: false` it must not."""

    name = "port"
    model = PortProbe
    tools = ("bash", "curl", "nc", "timeout")
    hint = _HINT

    def summary(self, probe: PortProbe) -> str:
        port = probe.port if isinstance(probe.port, int) else f"({probe.port})"
        return f"port {port} of {probe.to} is open"

    def target(self, probe: PortProbe) -> Target:
        return only(probe.to)

    def how(self, probe: PortProbe) -> str:
        return f"port {probe.port}"

    def reach(self, probe: PortProbe, place: Place, places: Places, kept: bool) -> Reach:
        target = places.target(place, only(probe.to))

        def connect(to: str) -> Reach:
            def reach(card: str) -> Reach:
                return _connect(probe, place, places, to, card)

            return lan.over(only(probe.to), place, places, reach) if kept else reach("")

        met = connect(target)
        if not probe.negative or met.found != TIMED_OUT or not is_name(target) or TRIED.search(met.output):
            return met
        # The time may have passed before the name was resolved: then no address was tried.
        resolved = look_up(target, place, places, hosts_file=True)
        for address in resolved.addresses:
            met = connect(address)
            if met.reached:
                break
        return met if resolved.reached else resolved

    def shown(self, probe: PortProbe, place: Place, where: Where, kept: bool) -> Shown:
        target, near = where.target(place, only(probe.to)), kept and leaves_swarm(only(probe.to), place, where)
        card = NEAR_CARD if near else lan_card(only(probe.to), place, where) if kept else ""
        tool = "curl" if card else where.tool(place, "bash", "nc")
        argv = command(probe, tool, target, where.port(probe.port), card)
        typed = where.in_network(place, argv, names=is_name(target), host_tool=near)
        connected = ends(typed)
        if tool == "curl":
            typed += " < /dev/null"  # curl's exit code says how the rest went
            connected = f"{typed} 2>&1 | grep -qE {shlex.quote(CONNECTED)}"
        shown, proof = typed, connected
        if probe.negative:
            proof = kept_out(typed, target, f"{CONNECTED}|^exit 0$", _AWAY, card=card)
        if near:
            shown, proof = over_near(typed, proof, place, where, negative=probe.negative)
        if probe.negative:
            proof = answered(place, target, where) + proof
        return Shown(shown, self.summary(probe), proof)


KIND = PortKind()


def _connect(probe: PortProbe, place: Place, places: Places, target: str, card: str) -> Reach:
    tool = places.network_tool(place, *(("curl",) if card else ("bash", "nc")))
    if tool == "bash":
        places.network_tool(place, "timeout")
    argv, timeout = command(probe, tool, target, str(places.port(probe.port)), card), probe.timeout + 30
    if tool != "curl":
        completed = places.in_network(place, argv, names=is_name(target), timeout=timeout)
        return parse(completed, completed.command)
    completed = places.in_network(place, [*_WITHOUT_INPUT, *argv], names=is_name(target), timeout=timeout)
    return parse(completed, completed.command.replace(f"{shlex.join(_WITHOUT_INPUT)} ", "") + " < /dev/null")


def parse(completed: Completed, command: str) -> Reach:
    """Read how bash's /dev/tcp under timeout(1), busybox's nc, or curl ended.

    Raises NotUnderstood.

    Curl goes on after it has connected, for as long as the server keeps it waiting.
    """
    if completed.ok or _CONNECTED.search(completed.stderr):
        return Reach(True, "open", command, completed.output)
    if completed.exit in _TIMED_OUT:
        return Reach(False, TIMED_OUT, command, completed.output)
    if completed.exit == _CLOSED:
        found = "closed at once, as the engine's proxy does for a published port on which nothing listens"
        return Reach(False, found, command, completed.output)
    return kept_away(completed, command, completed.stderr)


def command(probe: PortProbe, tool: str, target: str, port: str, card: str = "") -> list[str]:
    """What tries to connect with bash or busybox's nc, and succeeds when it could.

    Of the tools that hosts have, curl can be bound to an interface, `card`; it says when it is connected.
    """
    loopback = is_loopback(target)
    wait = str(max(1, math.ceil(probe.timeout)) + (tool == "bash" and loopback))  # _LOOPBACK waits a second more
    if tool == "curl":
        url = f"telnet://[{target}]:{port}" if ":" in target else f"telnet://{target}:{port}"
        return ["curl", "-sS", "-v", "--noproxy", "*", "--interface", card, "--max-time", wait, url]
    if tool == "bash":
        # The target is an argument of the script, never a part of it.
        return ["timeout", wait, "bash", "-c", _LOOPBACK if loopback else _CONNECT, "bash", target, port]
    return ["nc", "-w", wait, target, port, "-e", "true"]  # once connected, nc becomes `true`


def is_loopback(target: str) -> bool:
    """Whether a target is the place itself, over its loopback interface."""
    try:
        return ip_address(target).is_loopback
    except ValueError:
        return target == "localhost"
