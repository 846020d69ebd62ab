"""veth: the pair of interfaces by which a container is on a bridge, one end in each of the two networks' kernel lists.

Source: veth(4); `ip -json link` names an interface's own number (ifindex) and that of its other end (link_index).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import docker.errors

from clusterlab.model.checks import VethProbe

from .finding import Finding, ask_each, finding
from .place import NotUnderstood, Place, Places, WrongAnswer

_HINT = "`ip link show master BRIDGE` lists what is plugged into a bridge; restarting the container makes the pair anew"
_LIST = ["ip", "-json", "-details", "link", "show"]


@dataclass(frozen=True)
class Link:
    """One interface as the kernel lists it."""

    name: str
    number: int
    other_end: int
    mac: str
    kind: str
    bridge: str


def ask(probe: VethProbe, places: Places) -> list[Finding]:
    """Each container's interface on the network must be one end of a pair, and the other one in the bridge."""
    wanted = f"its interface and a veth in the bridge of network {probe.network} are two ends of one pair"
    return ask_each(
        [places.container(name) for name in probe.in_], wanted, lambda place: _compare(probe, place, places, wanted)
    )


def parse(text: str, command: str) -> list[Link]:
    """The interfaces in the output of `ip -json -details link show`. Raises NotUnderstood."""
    try:
        rows = json.loads(text)
    except json.JSONDecodeError as error:
        raise NotUnderstood(f"no list of interfaces: {text or 'no output'}", command=command, detail=text) from error
    return [
        Link(
            str(row["ifname"]),
            int(row["ifindex"]),
            int(row.get("link_index", 0)),
            str(row.get("address", "")),
            str(row.get("linkinfo", {}).get("info_kind", "")),
            str(row.get("master", "")),
        )
        for row in rows
        if row
    ]


def _compare(probe: VethProbe, place: Place, places: Places, wanted: str) -> Finding:
    report = places.inspect(place)
    attached = report["NetworkSettings"]["Networks"]
    if probe.network not in attached:
        raise WrongAnswer(
            f"{place} is not on network {probe.network}, but on {', '.join(sorted(attached)) or 'none'}",
            remedy="`clusterlab plan` shows how it differs from the play",
        )
    host = Place(place.host)
    inside_command = ["nsenter", f"--net=/proc/{report['State']['Pid']}/ns/net", *_LIST]
    inside = _links(host, inside_command, places)
    outside = _links(host, _LIST, places)
    problems, found = judge(str(attached[probe.network]["MacAddress"]), inside, outside, _bridge(probe, host, places))
    return finding(
        place,
        f"{host.typed(_LIST)}; {host.typed(inside_command)}",
        holds=not problems,
        wanted=wanted,
        found="; ".join([found, *problems]),
        output="\n".join(map(str, (*inside, *outside))),
        hint=_HINT,
    )


def judge(mac: str, inside: Sequence[Link], outside: Sequence[Link], bridge: str) -> tuple[list[str], str]:
    """What is wrong, and what was found, of the container's interface that has this MAC address."""
    mine = next((link for link in inside if link.mac == mac), None)
    if mine is None:
        return ["it has none on the network"], f"the container has {', '.join(link.name for link in inside)}"
    shown = f"{mine.name} in the container is number {mine.number}, its other end {mine.other_end}"
    other = next((link for link in outside if link.number == mine.other_end), None)
    if other is None or mine.kind != "veth" or other.kind != "veth" or other.other_end != mine.number:
        return ["that is no end of a veth pair on the host"], shown
    found = f"{shown}: {other.name} on the host"
    problems = (
        [] if other.bridge == bridge else [f"it is in {f'bridge {other.bridge}' if other.bridge else 'no bridge'}"]
    )
    return problems, f"{found}, in bridge {bridge}" if not problems else found


def _links(host: Place, argv: list[str], places: Places) -> list[Link]:
    completed = places.run(host, argv)
    if not completed.ok:
        raise NotUnderstood(
            f"the interfaces could not be listed (exit code {completed.exit}): {completed.output}",
            command=host.typed(argv),
            detail=completed.output,
        )
    return parse(completed.stdout, host.typed(argv))


def _bridge(probe: VethProbe, host: Place, places: Places) -> str:
    """The name of a network's bridge: as its options say, or else made of its id."""
    with places.engine(host.host) as engine:
        try:
            network: dict[str, Any] = engine.inspect_network(probe.network)
        except docker.errors.NotFound as error:
            raise WrongAnswer(
                f"there is no network {probe.network} on {host}", remedy="`clusterlab apply` makes it"
            ) from error
    options = network.get("Options") or {}
    return str(options.get("com.docker.network.bridge.name") or f"br-{network['Id'][:12]}")
