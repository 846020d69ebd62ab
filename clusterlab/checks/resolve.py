"""Looking names up at a place, as nslookup or getent there answer."""

from __future__ import annotations

import re
from ipaddress import IPv4Address

from clusterlab.remote.completed import Completed

from .place import NotUnderstood, Place, Places
from .reached import Reach

_ANSWER = re.compile(r"^Name:\s*\S+\s*\nAddress(?: \d+)?:\s*(\S+)", re.MULTILINE)


def look_up(name: str, place: Place, places: Places) -> Reach:
    """Ask the place's resolver; the IPv4 addresses are sorted. Raises NotUnderstood when the answer is neither."""
    # Hosts are asked as their programs would ask; in containers it is Docker's DNS that is of interest.
    tool = places.tool(place, *(("nslookup", "getent") if place.container else ("getent", "nslookup")))
    argv = query(tool, name)
    completed = places.run(place, argv)
    command = place.typed(argv)
    addresses = parse_nslookup(completed) if tool == "nslookup" else parse_getent(completed)
    if addresses:
        found = f"{name} is {', '.join(addresses)}"
        return Reach(True, found, command, completed.output, tuple(addresses))
    return Reach(False, why_not(completed, tool, command), command, completed.output)


def query(tool: str, name: str) -> list[str]:
    """What looks a name up with nslookup or getent."""
    return ["nslookup", name] if tool == "nslookup" else ["getent", "ahostsv4", name]


def parse_nslookup(completed: Completed) -> list[str]:
    """Addresses in the output of busybox's or BIND's nslookup; those of the server itself are not meant."""
    return _ipv4(_ANSWER.findall(completed.stdout))


def parse_getent(completed: Completed) -> list[str]:
    """Addresses in the output of `getent ahostsv4`."""
    return _ipv4([line.split()[0] for line in completed.stdout.splitlines() if line.strip()])


def first_address(name: str, place: Place, places: Places) -> str | Reach:
    """An address for a name, as the place resolves it, or why there is none; an address stays as it is."""
    try:
        return str(IPv4Address(name))
    except ValueError:
        met = look_up(name, place, places)
        return met.addresses[0] if met.addresses else met


def why_not(completed: Completed, tool: str, command: str) -> str:
    """Why there is no address. Raises NotUnderstood when the tool says neither."""
    text = completed.output
    if tool == "getent" and completed.exit == 2:
        return "name not resolved"
    if tool == "nslookup":
        answer = re.search(r"can't find [^:\n]+: (NXDOMAIN|SERVFAIL|REFUSED|No answer)", text, re.IGNORECASE)
        if answer:
            return f"name not resolved: {answer[1]}"
        if completed.ok and "Address:" in text:
            return "name not resolved: no IPv4 address"
        if re.search(r"no servers could be reached|can't connect to remote host", text):
            return "name not resolved: no name server answers"
    raise NotUnderstood(
        f"{tool} says neither an address nor that there is none (exit code {completed.exit}): {text or 'no output'}",
        command=command,
        detail=text,
    )


def _ipv4(texts: list[str]) -> list[str]:
    found = set()
    for text in texts:
        try:
            found.add(IPv4Address(text))
        except ValueError:
            continue  # an IPv6 address, or one with a port
    return [str(address) for address in sorted(found)]
