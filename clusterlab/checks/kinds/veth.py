"""veth: the pair of interfaces by which a container is on a bridge.

One end is in each of the two networks' interface lists of the kernel.

Source: veth(4); `ip -json link` names an interface's own number (ifindex) and that of its other end (link_index).
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import docker.errors
from pydantic import Field

from clusterlab.model.base import Issue, Model, Strings
from clusterlab.model.kinds import Touched
from clusterlab.model.problems import Problem, suggest
from clusterlab.model.source import KeyPath
from clusterlab.model.validate.files import Files, PlayFile
from clusterlab.model.validate.probes import containers_exist

from ..finding import Finding, ask_each, finding
from ..kind import CheckKind
from ..manual.line import Line
from ..manual.where import Where, with_variables
from ..place import NotUnderstood, Place, WrongAnswer
from ..places import Places

_HINT = "`ip link show master BRIDGE` lists what is attached to a bridge; restarting the container creates a new pair"
_LIST = ["ip", "-json", "-details", "link", "show"]


class VethProbe(Model):
    """The veth pair by which a container is on a bridge network.

    One end is the container's interface there, the other one a port of the network's bridge on the host.
    """

    in_: Strings = Field(alias="in", description="containers of this play")
    network: str = Field(description="a bridge network; bridge is the default one")

    def issues(self) -> Iterator[Issue]:
        if not self.in_:
            yield Issue(("in",), "an empty list of containers: nothing would be checked", "Name a container.")


class Veth(CheckKind[VethProbe]):
    name = "veth"
    model = VethProbe

    def problems(self, files: Files, file: PlayFile, path: KeyPath, probe: VethProbe) -> Iterator[Problem]:
        network = file.play.networks.get(probe.network)
        if network is None and probe.network != "bridge":
            known = ["bridge", *file.play.networks]
            message = f"this play has no network '{probe.network}'"
            yield file.problem((*path, "network"), message, suggest(probe.network, known, "Networks"))
        elif network is not None and network.driver != "bridge":
            message = f"'{probe.network}' is a network of driver {network.driver}, without a bridge on the host"
            yield file.problem((*path, "network"), message, "Name a bridge network.")
        yield from containers_exist(files, file, path, probe.in_)

    def touches(self, probe: VethProbe) -> Touched:
        return Touched(containers=frozenset(probe.in_), networks=frozenset({probe.network}))

    def ask(self, probe: VethProbe, places: Places) -> list[Finding]:
        """Each container's interface must be one end of a pair, the other in a bridge."""
        wanted = f"its interface and a veth in the bridge of network {probe.network} are two ends of one pair"
        return ask_each(
            [places.container(name) for name in probe.in_], wanted, lambda place: _compare(probe, place, places, wanted)
        )

    def manual(self, probe: VethProbe, where: Where) -> Iterator[Line]:
        """The interface in the container names the number of its other end.

        That must be in the network's bridge.
        """
        for name in probe.in_:
            place = where.container(name)
            end = where.looked_up(place.host, f"other end of {name}", _other_end(probe, where, name))
            command = f"ip -o link show master {_bridge_name(probe, where)} type veth"
            proof = f"{command} | grep -q ^{with_variables(end)}:"
            yield Line(place.host, command, f"a line that begins with {with_variables(end)[1:-1]}", proof)


KIND = Veth()


@dataclass(frozen=True)
class Link:
    """One interface as the kernel lists it."""

    name: str
    number: int
    other_end: int
    mac: str
    kind: str
    bridge: str


def parse(text: str, command: str) -> list[Link]:
    """The interfaces in the output of `ip -json -details link show`.

    Raises NotUnderstood.
    """
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
    mac = str(attached[probe.network]["MacAddress"])
    if not mac:
        raise WrongAnswer(f"{place} has no interface on network {probe.network}, as its engine reports")
    host = Place(place.host)
    inside_command, inside = _links(place, places)
    outside_command, outside = _links(host, places)
    problems, found = judge(mac, inside, outside, _bridge(probe, host, places))
    return finding(
        place,
        f"{outside_command}; {inside_command}",
        holds=not problems,
        wanted=wanted,
        found="; ".join([found, *problems]),
        output="\n".join(map(str, (*inside, *outside))),
        hint=_HINT,
    )


def judge(mac: str, inside: Sequence[Link], outside: Sequence[Link], bridge: str) -> tuple[list[str], str]:
    """What is wrong with the container's interface that has this MAC address.

    With what was found.
    """
    mine = next((link for link in inside if link.mac == mac), None)
    if mine is None:
        return ["it has none on the network"], f"the container has {', '.join(link.name for link in inside)}"
    shown = f"{mine.name} in the container is number {mine.number}, its other end {mine.other_end}"
    other = next((link for link in outside if link.number == mine.other_end), None)
    if other is None or mine.kind != "veth" or other.kind != "veth" or other.other_end != mine.number:
        return ["that is not an end of a veth pair on the host"], shown
    found = f"{shown}: {other.name} on the host"
    problems = (
        [] if other.bridge == bridge else [f"it is in {f'bridge {other.bridge}' if other.bridge else 'no bridge'}"]
    )
    return problems, f"{found}, in bridge {bridge}" if not problems else found


def _links(place: Place, places: Places) -> tuple[str, list[Link]]:
    """The command as a person types it, and the interfaces that it lists.

    They are those of a host, or of a container's network.
    """
    completed = places.in_network(place, _LIST, names=False)
    command = completed.command if place.container else place.typed(_LIST)
    if not completed.ok:
        raise NotUnderstood(
            f"the interfaces could not be listed (exit code {completed.exit}): {completed.output}",
            command=command,
            detail=completed.output,
        )
    return command, parse(completed.stdout, command)


def _bridge(probe: VethProbe, host: Place, places: Places) -> str:
    """The name of a network's bridge: as its options say, or else made of its id."""
    with places.engine(host.host) as engine:
        try:
            network: dict[str, Any] = engine.inspect_network(probe.network)
        except docker.errors.NotFound as error:
            raise WrongAnswer(
                f"there is no network {probe.network} on {host}", remedy="`clusterlab apply` creates it"
            ) from error
    options = network.get("Options") or {}
    return str(options.get("com.docker.network.bridge.name") or f"br-{network['Id'][:12]}")


def _other_end(probe: VethProbe, where: Where, name: str) -> str:
    """What prints the number.

    If there are several interfaces, its address in the engine shows which one it is.
    """
    place = where.container(name)
    own = where.play.containers.get(name)
    if own and len(own.networks) < 2:
        return where.typed(place, ["cat", "/sys/class/net/eth0/iflink"])
    format = f'{{{{(index .NetworkSettings.Networks "{probe.network}").MacAddress}}}}'
    asked = shlex.join(["docker", "inspect", "--format", format, name])
    mac = where.looked_up(place.host, f"MAC of {name} on {probe.network}", asked)
    find = 'cat "$(dirname "$(grep -l "$1" /sys/class/net/*/address)")/iflink"'
    return where.typed(place, ["sh", "-c", find, "sh", mac])


def _bridge_name(probe: VethProbe, where: Where) -> str:
    if probe.network == "bridge":
        return "docker0"
    network = where.play.networks.get(probe.network)
    named = str(network.driver_opts.get("com.docker.network.bridge.name", "")) if network else ""
    return named or f"br-$(docker network inspect --format '{{{{slice .Id 0 12}}}}' {shlex.quote(probe.network)})"
