"""Looking names up at a place, as nslookup or getent there answer."""

from __future__ import annotations

import re
from ipaddress import IPv4Address

from clusterlab.remote.completed import Completed

from .place import NotUnderstood, Place
from .places import Places
from .reached import Reach

DOCKER_DNS = "127.0.0.11"
"""Where Docker's DNS answers in a container that is on another network than the default bridge."""
_SERVERS = ("nslookup", "busybox")  # what asks name servers alone, and shows what they say
_ABSENT = ("NXDOMAIN", "No answer", "no IPv4 address")
_ANSWER = re.compile(r"^Name:\s*\S+\s*\nAddress(?: \d+)?:\s*(\S+)", re.MULTILINE)


def look_up(name: str, place: Place, places: Places, *, hosts_file: bool = False) -> Reach:
    """Ask the place's resolver; the IPv4 addresses are sorted.

    In a container Docker's DNS is asked, and with `hosts_file` its file of hosts before that, as programs do.

    Raises NotUnderstood when the answer is neither.
    """
    # Hosts are asked as their programs would ask; in containers it is Docker's DNS that is of interest.
    servers_first = place.container and not hosts_file
    tool = places.network_tool(place, *((*_SERVERS, "getent") if servers_first else ("getent", *_SERVERS)))
    completed = places.in_network(place, query(tool, name), names=True)
    command = completed.command
    addresses = parse_getent(completed) if tool == "getent" else parse_nslookup(completed)
    if addresses:
        found = f"{name} is {', '.join(addresses)}"
        return Reach(True, found, command, completed.output, tuple(addresses))
    return Reach(False, why_not(completed, tool, command), command, completed.output, unresolved=True)


def query(tool: str, name: str) -> list[str]:
    """What looks a name up with nslookup, busybox's or BIND's, or with getent."""
    if tool == "getent":
        return ["getent", "ahostsv4", name]
    return ["busybox", "nslookup", name] if tool == "busybox" else ["nslookup", name]


def parse_nslookup(completed: Completed) -> list[str]:
    """Addresses in the output of busybox's or BIND's nslookup.

    Those of the server itself are not meant.
    """
    return _ipv4(_ANSWER.findall(completed.stdout))


def parse_getent(completed: Completed) -> list[str]:
    """Addresses in the output of `getent ahostsv4`."""
    return _ipv4([line.split()[0] for line in completed.stdout.splitlines() if line.strip()])


def first_address(name: str, place: Place, places: Places) -> str | Reach:
    """An address for a name, as the place resolves it, or why there is none.

    An address stays as it is.
    """
    try:
        return str(IPv4Address(name))
    except ValueError:
        met = look_up(name, place, places)
        return met.addresses[0] if met.addresses else met


def prove_absent(name: str, place: Place, places: Places) -> None:
    """Make sure that a name that does not resolve at a place is unknown there.

    And not merely without an answer.

    A name server must say so. Docker's DNS knows its own names at once, and hands every other one to the name servers
    of the host, which may not answer: so for the name of a container it is enough that it then knows the container
    that asks. Raises NotUnderstood.
    """
    # getent says the same of a name that is unknown and of a server that is silent
    tool = places.network_tool(place, *_SERVERS)
    completed = places.in_network(place, query(tool, name), names=True)
    said = "" if parse_nslookup(completed) else answer(completed)
    if said in _ABSENT:
        return
    if said and place.container and name in _docker_names(places):
        control = places.in_network(place, query(tool, place.container), names=True)
        if parse_nslookup(control) and DOCKER_DNS in control.stdout:
            return
    raise NotUnderstood(
        f"nothing proves that {name} is unknown at {place}: {said or 'it resolves when it is looked up again'}",
        command=completed.command,
        detail=completed.output,
        remedy="only a name server that answers can report that a name does not exist: see /etc/resolv.conf there",
    )


def _docker_names(places: Places) -> set[str]:
    """The names that Docker's DNS may know: it is the authority for them."""
    play = places.play
    joined = [one.networks for one in play.containers.values()] + [one.networks for one in play.services.values()]
    aliases = {alias for networks in joined for one in networks.values() if one for alias in one.aliases}
    return {*play.known_containers, *play.known_services, *(f"tasks.{name}" for name in play.known_services), *aliases}


def answer(completed: Completed) -> str:
    """What name servers answered about a name that has no address.

    "" when it is neither.
    """
    text = completed.output
    found = re.search(r"can't find [^:\n]+: (NXDOMAIN|SERVFAIL|REFUSED|No answer)", text, re.IGNORECASE)
    if found:
        return found[1]
    if completed.ok and "Address:" in text:
        return "no IPv4 address"
    if re.search(r"no servers could be reached|can't connect to remote host", text):
        return "no name server answers"
    return ""


def why_not(completed: Completed, tool: str, command: str) -> str:
    """Why there is no address. Raises NotUnderstood when the tool says neither."""
    if tool == "getent" and completed.exit == 2:
        return "name not resolved"
    if tool != "getent" and (said := answer(completed)):
        return f"name not resolved: {said}"
    raise NotUnderstood(
        f"{tool} reports neither an address nor that there is none (exit code {completed.exit}): "
        f"{completed.output or 'no output'}",
        command=command,
        detail=completed.output,
    )


def _ipv4(texts: list[str]) -> list[str]:
    found = set()
    for text in texts:
        try:
            found.add(IPv4Address(text))
        except ValueError:
            continue  # an IPv6 address, or one with a port
    return [str(address) for address in sorted(found)]
