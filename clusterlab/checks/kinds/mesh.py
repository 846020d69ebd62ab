"""mesh: every place reaches every other, for clusters of any size.

Each place asks all the others in one command, so the number of commands is that of the places and not of the pairs.
Pings and connections run with the host's tools in the network of a container, for which its engine starts no process.
Who is not reached by anybody is named as such; where packets are lost on the way back follows from the way there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from pydantic import Field

from clusterlab import patterns
from clusterlab.errors import UsageError
from clusterlab.model.base import Duration, HostsAndRoles, Issue, Rate, Strings
from clusterlab.model.kinds import Touched
from clusterlab.model.lab import Lab
from clusterlab.model.playbook import Play
from clusterlab.model.probes import Address, Port, Probe
from clusterlab.model.problems import Problem
from clusterlab.model.source import KeyPath
from clusterlab.model.validate.files import Files, PlayFile
from clusterlab.model.validate.probes import names_exist, places_exist, unknown_service
from clusterlab.parallel import parallel
from clusterlab.results import Link

from ..answering import answering, looked_up
from ..finding import Finding, ask_each, finding
from ..kind import CheckKind
from ..manual.line import Line
from ..manual.where import Where, with_variables
from ..mesh_answers import OWN, Answer, Target, judged, lines_of, only_if_alone
from ..mesh_directions import with_directions
from ..mesh_script import MTU, SCRIPT, command
from ..network import shown as shown_inside
from ..owners import HINT as OWNERS_HINT
from ..place import NotUnderstood, Place
from ..places import Places

By = Literal["name", "ping", "packets", "udp", "tcp", "fetch"]

_ON_HOSTS = ("ping", "tcp")
_HOST_TOOLS: Mapping[By, Sequence[str]] = {"ping": ("ping",), "tcp": ("bash", "timeout")}
"""What hosts run, in the network of a container where that is the place; for other ways it needs tools of its own."""
_WITH_PORT = ("tcp", "fetch")
_SHOW = ("name", "udp", "packets")  # whose tools print the address when it answers, and whose exit code says little
_HINTS: Mapping[str, str] = {
    "name": "names of containers come by gossip: TCP and UDP 7946 must be open between all nodes",
    "ping": "packets of overlay networks travel in VXLAN: UDP 4789 must be open between all nodes, both ways",
    "packets": "small packets pass, full-size ones do not: compare the MTU of the nodes and the network between them",
    "udp": "packets of overlay networks travel in VXLAN: UDP 4789 must be open between all nodes, both ways",
    "tcp": "refused: nothing listens there; timed out: something drops the packets, on the way there or back",
    "answer": "refused: nothing listens there; timed out: something drops the packets; open: see "
    "`ss -ltnp 'sport = :PORT'` and `iptables -t nat -S` for what has the port",
    "fetch": "a transfer that stalls after its first packets: compare the MTU of the nodes; a slow one: see the links",
}


class MeshProbe(Probe):
    """Reach all of `to` from every place, each place with one command.

    None asks itself.
    """

    to: HostsAndRoles = Field(
        description="containers of this play where the places are containers, else hosts and roles"
    )
    by: By = Field(
        description="name: Docker's DNS gives the address; ping; packets: the longest that the interface can send, "
        "unfragmented; udp; tcp: a port accepts; fetch: /data is downloaded over HTTP"
    )
    network: str | None = Field(default=None, description="for containers: the network whose addresses are used")
    port: Port | None = Field(default=None, description="for tcp and fetch")
    floor: Rate | None = Field(default=None, description="for fetch: the least throughput per second", examples=["1M"])
    answers: Strings = Field(
        default_factory=list,
        description="for hosts by tcp: containers and services of this play, of which one on the target must answer: "
        "/cgi-bin/name on the port prints the host name that Docker gave it",
    )
    anywhere: bool = Field(default=False, description="whether those that answer may be on any host")
    timeout: Duration = Field(default=3.0, description="how long one target may take")

    def issues(self) -> Iterator[Issue]:
        yield from super().issues()
        if not self.to:
            yield Issue(("to",), "there is nothing to reach")
        if self.on and self.in_:
            yield Issue(("in",), "'on' and 'in' are mutually exclusive: hosts reach hosts, containers reach containers")
        if self.in_ and self.network is None:
            yield Issue((), "containers have an address on each of their networks", "Add network:.")
        if self.on and self.network is not None:
            yield Issue(("network",), "'network' is for containers", "Leave it out.", key=True)
        if self.on and self.by not in _ON_HOSTS:
            yield Issue(("by",), f"hosts cannot be reached by {self.by}", f"Write {' or '.join(_ON_HOSTS)}.")
        if (self.port is None) == (self.by in _WITH_PORT):
            message = f"'{self.by}' has no port" if self.port is not None else f"'{self.by}' needs a port"
            yield Issue((), message, "Leave port out." if self.port is not None else "Add port:.")
        if self.floor is not None and self.by != "fetch":
            yield Issue(("floor",), "'floor' is for fetch", "Leave it out.", key=True)
        if self.answers and (self.by != "tcp" or not self.on):
            yield Issue(("answers",), "'answers' is for hosts by tcp", "Leave it out.", key=True)
        if self.anywhere and not self.answers:
            yield Issue(("anywhere",), "'anywhere' is for 'answers'", "Leave it out.", key=True)

    @property
    def way(self) -> str:
        """What the command is told: an open port by itself does not show who answers."""
        return "answer" if self.answers else self.by

    @property
    def how(self) -> str:
        """What is tried, as a column of a table has it."""
        what = {"name": "name", "ping": "ping", "packets": "full-size packets", "udp": "UDP", "tcp": f"TCP {self.port}"}
        word = what.get(self.by, f"download of {self.floor}/s" if self.floor else "download")
        return f"{word} on {self.network}" if self.network else word


class Mesh(CheckKind[MeshProbe]):
    name = "mesh"
    model = MeshProbe
    tools = ("bash", "timeout", "nc", "ping", "traceroute", "nslookup", "wget")

    def problems(self, files: Files, file: PlayFile, path: KeyPath, probe: MeshProbe) -> Iterator[Problem]:
        yield from names_exist(files, file, path, probe)
        for name in probe.answers:
            if not file.play.host_of(name) and name not in file.play.known_services:
                yield unknown_service(file, (*path, "answers"), name)
        into = probe.model_copy(update={"on": probe.to if probe.on else [], "in_": probe.to if probe.in_ else []})
        yield from places_exist(files, file, path, into.on, into.in_)
        if probe.on and len({*files.expand(probe.on), *files.expand(probe.to)}) == 1:
            yield file.problem(path, "a single host has nobody to reach", "Name at least two.", key=True)
        if probe.in_ and len({*probe.in_, *probe.to}) == 1:
            yield file.problem(path, "a single container has nobody to reach", "Name at least two.", key=True)

    def touches(self, probe: MeshProbe) -> Touched:
        inside = frozenset(probe.in_) | (frozenset(probe.to) if probe.in_ else frozenset())
        answering = frozenset(probe.answers)  # of either kind: names of the other one are of nothing in the play
        networks = frozenset({probe.network} - {None})
        return Touched(containers=inside | answering, services=answering, networks=networks)  # type: ignore[arg-type]

    def hosts(self, probe: MeshProbe, lab: Lab, play: Play) -> frozenset[str]:
        return frozenset(lab.expand([*probe.on, *probe.to])) if probe.on else frozenset()

    def ask(self, probe: MeshProbe, places: Places) -> list[Finding]:
        """One finding for each place, with a link to each of its targets."""
        targets, everywhere = _targets(probe, places), places.of(probe)
        asking = [place for place in everywhere if _others(place, targets)]
        if not asking:
            alone = ", ".join(map(str, everywhere))
            raise UsageError(f"nothing is probed: {alone} has nobody to reach but itself", remedy="name at least two")
        wanted = f"reaches all others: {probe.how}"

        def at(place: Place) -> Finding:
            return _finding(probe, place, wanted, _answers(probe, place, places, targets), targets)

        def unknown(place: Place) -> list[Link]:
            return [Link(place.host, one.host, probe.how, True, None) for one in _others(place, targets)]

        findings = ask_each(asking, wanted, at, unknown)
        if probe.by == "tcp":
            findings = with_directions(int(probe.port or 0), bool(probe.in_), places, targets, findings)
        return [_explained(probe, one, findings) for one in findings]

    def manual(self, probe: MeshProbe, where: Where) -> Iterator[Line]:
        for place in where.of(probe):
            names = where.lab.expand(probe.to) if probe.on else probe.to
            words = []
            for name in [one for one in names if one != (place.container or place.host)]:
                address = str(where.lab.inventory.hosts[name].address) if probe.on else ""
                address = address or where.address(Address(container=name, network=str(probe.network)))
                words.append((name, address))
            yield from where.taken()
            for name, address in words:
                size = self._size(probe, place, where, address)
                with_host = probe.by == "tcp" and where.tool(place, "bash", "nc") == "bash"
                asking = Place(place.host) if with_host else place
                may = looked_up(probe.answers, probe.anywhere, name, where)
                argv = command(probe.way, asking, name, address, probe.port, _wait(probe), size)
                inside = probe.by in _HOST_TOOLS
                shown = where.in_network(place, argv, names=False) if inside else where.typed(place, argv)
                yield from where.taken()
                seen, who = shown, ""
                if probe.by in _SHOW:
                    # traceroute ends with success whoever answers, names the target in its first line, and writes !F
                    # after a reply that says in the target's name that the packet is too long
                    answered = "" if probe.by == "name" else " | grep -v '![A-Z<]'"
                    seen = f"{shown} | tail -n 1{answered} | grep -qwF {with_variables(address)}"
                if probe.answers:
                    who = ", and the last line is the id of one that should answer there"
                    there = with_variables(may) or "none"
                    seen = f"name=$({shown} | tail -n 1) && printf '%s\\n' {there} | grep -qxF \"${{name:-nobody}}\""
                yield Line(place.host, shown, f"{name} is reached: {probe.how}{who}", seen)

    @staticmethod
    def _size(probe: MeshProbe, place: Place, where: Where, address: str) -> str:
        """A token for the longest packet towards an address."""
        if probe.by != "packets":
            return ""
        command = with_variables(place.typed(["sh", "-c", MTU, "sh", address]))
        return where.looked_up(place.host, f"MTU of {place}", command)


KIND = Mesh()


def _wait(probe: MeshProbe) -> int:
    return max(1, math.ceil(probe.timeout))


def _targets(probe: MeshProbe, places: Places) -> list[Target]:
    """Every target with its address.

    Addresses of containers are those that their engines report.
    """
    if probe.on:
        hosts = places.lab.inventory.hosts
        names = places.lab.expand(probe.to)
        may = answering(probe.answers, probe.anywhere, names, places) if probe.answers else {}
        return [Target(name, name, str(hosts[name].address), may.get(name)) for name in names]
    network = str(probe.network)
    addresses = parallel(lambda name: places.address(Address(container=name, network=network)), probe.to, name="mesh")
    named = zip(probe.to, addresses, strict=True)
    return [Target(name, places.container(name).host, address) for name, address in named]


def _others(place: Place, targets: Sequence[Target]) -> list[Target]:
    return [one for one in targets if one.name != (place.container or place.host)]


def _answers(
    probe: MeshProbe, place: Place, places: Places, targets: Sequence[Target]
) -> tuple[str, str, dict[str, Answer]]:
    """What a place found of each target.

    The command as a person types it for one, its output, and the answers.
    """
    others = _others(place, targets)
    known = [one for one in others if isinstance(one.address, str)]
    words = [f"{one.name}={one.address}" for one in known]
    wait = _wait(probe)
    longest = (wait + 4) * (len(known) + 1 if probe.by in ("fetch", "packets") else 1) + 30
    argv = ["sh", "-c", SCRIPT, "sh", probe.way, str(probe.port or 0), str(wait), *words]
    first = known[0] if known else Target("TARGET", "", "ADDRESS")
    if _has_host_tools(probe, place, places):
        host = Place(place.host)
        one = command(probe.way, host, first.name, str(first.address), probe.port, wait, "MTU")
        shown = host.typed(shown_inside(places.process(place), one, names=False) if place.container else one)
        completed = places.in_network(place, argv, names=False, timeout=longest)
    else:
        shown = place.typed(command(probe.way, place, first.name, str(first.address), probe.port, wait, "MTU"))
        completed = places.run(place, argv, timeout=longest)
    lines = dict(lines_of(completed.stdout))
    own = lines.get(OWN, (0, ""))[1].split()
    if not own:
        raise NotUnderstood(f"the addresses of {place} could not be listed", command=shown, detail=completed.output)
    answers = {
        one.name: only_if_alone(
            judged(probe.by, probe.floor, one, lines.get(one.name)), one, place.container or place.host, own, targets
        )
        for one in others
    }
    return shown, completed.output, answers


def _has_host_tools(probe: MeshProbe, place: Place, places: Places) -> bool:
    """Whether the host's tools ask, in the network of a container where that is the place.

    A host without ping leaves that to the container; raises MissingTool for any other that it lacks.
    """
    tools = _HOST_TOOLS.get(probe.by, ())
    if place.container and tools == ("ping",) and not places.has(Place(place.host), "ping"):
        return False
    for tool in tools:
        places.network_tool(place, tool)
    return bool(tools)


def _finding(
    probe: MeshProbe,
    place: Place,
    wanted: str,
    asked: tuple[str, str, dict[str, Answer]],
    targets: Sequence[Target],
) -> Finding:
    shown, output, answers = asked
    others = _others(place, targets)
    links = [
        Link(place.host, one.host, probe.how, True, answers[one.name].reached, answers[one.name].found)
        for one in others
    ]
    bad = [link for link in links if link.seen is not True]
    if others and all(link.seen is None for link in links):
        raise NotUnderstood(f"nothing shows whether others are reached: {links[0].found}", command=shown, detail=output)
    missing = "; ".join(f"{link.target}: {link.found}" for link in bad)
    found = f"{len(links) - len(bad)} of {len(links)} others" + (f"; not {missing}" if bad else "")
    hint = OWNERS_HINT if any(answer.mistaken for answer in answers.values()) else _HINTS[probe.way]
    return finding(place, shown, holds=not bad, wanted=wanted, found=found, output=output, hint=hint, links=links)


def _explained(probe: MeshProbe, one: Finding, findings: Sequence[Finding]) -> Finding:
    """The hint of a failure begins with what all places together show."""
    if one.evidence.holds:
        return one
    links = [link for each in findings for link in each.evidence.links]
    return replace(one, hint=". ".join([*patterns.of_links(links), one.hint or _HINTS[probe.way]]))
