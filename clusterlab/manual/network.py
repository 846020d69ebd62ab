"""http, ping, dns and port by hand, with the control of what must not work."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from clusterlab.checks import dns, http, ping, port, reach
from clusterlab.checks.matcher import describe
from clusterlab.checks.place import Place
from clusterlab.model.checks import Address, DnsProbe, HttpProbe, NegatableProbe, PingProbe, PortProbe, Target

from .line import Line, ends
from .shell_matchers import as_wanted
from .where import Where, with_variables

_STATUS = "^(< | +)HTTP/[0-9.]+ "  # as curl -v and wget -S write it
_NAMES = "/^Name:/ { answer = 1 } answer && /^Address.*[.]/ { print $NF }"  # the lines before it are of the server
_ERRORS = "2>&1 > /dev/null"
_LAN = "ip -o -4 address show to {} | awk '{{ print $2 }}'"
_ITS_OWN = r"s/.* dev (lo|docker0|docker_gwbridge|br-[0-9a-f]{12}) .*/\1/p"  # what does not leave the host
_WAY = "{{ ip -o route get {} | grep -v ' via ' | sed -nE '{}'; {}; }} | head -n 1"


def lines(probe: NegatableProbe, where: Where) -> Iterator[Line]:
    """What asks at each place; for a negative statement what must not work, and then its control, which must."""
    ask = _OF[type(probe)]
    kept = reach.kept(probe)
    yield from _each(probe, where, ask, "not: " if probe.negative else "", kept)
    if probe.negative and probe.control is not None:
        yield from _each(reach.controlled(probe, probe.control), where, ask, "as a control: ", kept)


def _each(probe: NegatableProbe, where: Where, ask: _Ask, before: str, kept: bool) -> Iterator[Line]:
    for place in where.of(probe):
        command, wanted, proof = ask(probe, place, where, kept)
        yield from where.taken()
        yield Line(place.host, command, before + wanted, proof)


_Ask = Callable[..., tuple[str, str, str]]
"""The command, what is seen when it works, and the proof that it does or must not."""


def _http(probe: HttpProbe, place: Place, where: Where, kept: bool) -> tuple[str, str, str]:
    tool = where.tool(place, "curl", "wget")
    url = where.url(place, probe.url)
    card = _card(urlsplit(url).hostname or "", place, where) if kept else ""
    command = where.typed(place, http.command(probe, tool, url, card))
    if probe.negative:
        return command, http.told_answer(probe), f"! {command} {_ERRORS} | grep -qE {shlex.quote(_STATUS)}"
    proof = f"{command} {_ERRORS} | grep -qE {shlex.quote(f'{_STATUS}{probe.status}')}"
    if probe.body is not None:
        proof += f" && found=$({command} 2> /dev/null) && {as_wanted(probe.body)}"
    wanted = f"{probe.url} answers with status {probe.status}"
    return command, wanted + (f" and a body that {describe(probe.body)}" if probe.body else ""), proof


def _ping(probe: PingProbe, place: Place, where: Where, kept: bool) -> tuple[str, str, str]:
    target = where.target(place, probe.to)
    argv = ping.packets(probe, _card(probe.to, place, where) if kept else "")
    if probe.size is None:
        command = where.typed(place, [*argv, target])
    else:  # a container's own ping may not know how to forbid fragments
        if place.container:
            if not isinstance(probe.to, Address):
                asked = place.typed(dns.query("nslookup", target))
                target = where.looked_up(place.host, f"{target} seen from {place.container}", _first(asked))
            argv = ["nsenter", where.namespace(place), *argv]
        command = where.typed(Place(place.host), [*argv, target])
    if probe.negative:
        return command, ping.told(probe), f"! {command}"
    return command, ping.told(probe), f"{command} | grep -qE ' {probe.count} (packets )?received'"


def _first(nslookup: str) -> str:
    return f"{nslookup} | awk '{_NAMES}' | head -n 1"


def _card(target: Target, place: Place, where: Where) -> str:
    """As the check: the interface that keeps a host's probe on the LAN, a token; empty where it stays there anyway."""
    if place.container or _near(target, place, where):
        return ""
    lan = _LAN.format(where.lab.inventory.hosts[place.host].address)
    if isinstance(target, Address):
        return where.looked_up(place.host, f"LAN of {place.host}", lan)
    return where.looked_up(
        place.host, f"way of {place.host} to {target}", _WAY.format(_first_address(target), _ITS_OWN, lan)
    )


def _first_address(target: str) -> str:
    if _is_address(target):
        return target
    return f"\"$(getent ahostsv4 {shlex.quote(target)} | awk 'NR == 1 {{ print $1 }}')\""


def _is_address(target: str) -> bool:
    try:
        ip_address(target)
    except ValueError:
        return False
    return True


def _near(target: Target, place: Place, where: Where) -> bool:
    """Whether a target is on the host itself, in one of its containers, or on the LAN."""
    if isinstance(target, Address):
        return target.container is not None and where.container(target.container).host == place.host
    written = where.target(place, target)
    if not _is_address(written):
        return written == "localhost"
    address = ip_address(written)
    return address.is_loopback or address in where.lab.inventory.network.subnet


def _dns(probe: DnsProbe, place: Place, where: Where, _: bool) -> tuple[str, str, str]:
    tool = where.tool(place, *(("nslookup", "getent") if place.container else ("getent", "nslookup")))
    command = where.typed(place, dns.query(tool, probe.name))
    addresses = _NAMES if tool == "nslookup" else "{ print $1 }"
    seen = f"found=$({command} | awk '{addresses}' | sort -u)"
    if probe.negative:
        return command, dns.told(probe), f'{seen}; [ -z "$found" ]'
    wanted, proof = [dns.told(probe)], f'{seen}; [ -n "$found" ]'
    if probe.addresses is not None:
        wanted.append(f"to addresses of which the list {describe(probe.addresses)}")
        proof += f" && {as_wanted(probe.addresses, items=True)}"
    if probe.is_ is not None:
        wanted.append(f"to the address of {probe.is_}")
        proof += f' && [ "$found" = {with_variables(where.address(probe.is_))} ]'
    return command, " ".join(wanted), proof


def _port(probe: PortProbe, place: Place, where: Where, kept: bool) -> tuple[str, str, str]:
    target = where.target(place, probe.to)
    card = _card(probe.to, place, where) if kept else ""
    tool = "curl" if card else where.tool(place, "bash", "nc")
    command = where.typed(place, port.command(probe, tool, target, where.port(probe.port), card))
    if tool == "curl":  # its exit code says how the rest went
        command += " < /dev/null"
        connected = f"{command} 2>&1 | grep -q '^[*] Connected to '"
        return command, port.told(probe), f"! {connected}" if probe.negative else connected
    return command, port.told(probe), f"! {command}" if probe.negative else ends(command)


_OF: dict[type[NegatableProbe], _Ask] = {HttpProbe: _http, PingProbe: _ping, DnsProbe: _dns, PortProbe: _port}
