"""Where lines are typed, and what to write for what only the lab knows.

Addresses, ports, ids of processes.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from clusterlab.model.lab import Lab
from clusterlab.model.playbook import Container, Play, Service
from clusterlab.model.probes import Address, Probe, PublishedPort, Target

from .. import network
from ..lookups import with_host
from ..place import Place
from ..resolve import query
from .line import Line, Variable, variables

_BUSYBOX = ("nslookup", "wget", "nc", "ping", "stat", "timeout")  # what containers are expected to have


@dataclass
class Where:
    """The places of one play.

    `asked` are the lines that look something up for the line that is being made; they come before it.
    """

    lab: Lab
    play_name: str
    images: dict[str, str]  # the tag by which hosts know an image of the inventory
    asked: list[Line] = field(default_factory=list)

    @property
    def play(self) -> Play:
        return self.lab.plays[self.play_name]

    @property
    def manager(self) -> str:
        """The host on which commands about the Swarm are typed.

        Each of the managers takes them.
        """
        return next(iter(self.lab.inventory.with_role("swarm_manager")), "")

    def of(self, probe: Probe) -> list[Place]:
        """Every place of a probe, in order."""
        return [*map(Place, self.lab.expand(probe.on)), *map(self.container, probe.in_)]

    def container(self, name: str) -> Place:
        return Place(str(self.play.host_of(name)), name)

    def environment(self, kind: str, name: str) -> tuple[Variable, ...]:
        """What the command that creates a container or service takes from the shell."""
        one: Container | Service | None = None
        if kind == "container":
            one = self.play.containers.get(name)
        elif kind == "service":
            one = self.play.services.get(name)
        return variables(one.environment, f"{kind}s.{name}.environment of the play {self.play_name}") if one else ()

    def tool(self, place: Place, *wanted: str) -> str:
        """The first of `wanted` that is expected there.

        Hosts have all, images what busybox has.

        In the network of a container whose image may lack tools it is its host that has them.
        """
        there = [name for name in wanted if not self._has_busybox(place) or name in _BUSYBOX]
        return there[0] if there else wanted[0]

    def target(self, place: Place, target: Target) -> str:
        """What to write for a target at a place.

        For an address that is looked up a token, see `typed`.
        """
        if isinstance(target, Address):
            return self.address(target)
        if target in self.lab.inventory.hosts and not (place.container and self.play.host_of(target)):
            return str(self.lab.inventory.hosts[target].address)
        return target

    def url(self, place: Place, url: str) -> str:
        name = urlsplit(url).hostname or ""
        return with_host(url, self.target(place, name)) if name in self.lab.inventory.hosts else url

    def address(self, wanted: Address) -> str:
        """A token for the address of a container or service on a network."""
        if wanted.service is not None:
            addresses = "{{range .Endpoint.VirtualIPs}}{{println .NetworkID .Addr}}{{end}}"
            listed = shlex.join(["docker", "service", "inspect", "--format", addresses, wanted.service])
            network = shlex.join(["docker", "network", "inspect", "--format", "{{.Id}}", wanted.network])
            command = f'{listed} | grep "^$({network}) " | cut -d " " -f 2 | cut -d / -f 1'
            return self.looked_up(self.manager, f"{wanted.service} on {wanted.network}", command)
        place = self.container(str(wanted.container))
        return self.address_of(place.host, place.container, wanted.network)

    def address_of(self, host: str, container: str, network: str) -> str:
        """A token for the address of any container of a host on a network."""
        format = f'{{{{(index .NetworkSettings.Networks "{network}").IPAddress}}}}'
        command = shlex.join(["docker", "inspect", "--format", format, container])
        return self.looked_up(host, f"{container} on {network}", command)

    def port(self, wanted: int | PublishedPort) -> str:
        """A port, or a token for the one by which a container's port is published."""
        if isinstance(wanted, int):
            return str(wanted)
        place = self.container(wanted.container)
        command = f"docker port {place.container} {wanted.published}/tcp | head -n 1 | sed 's/.*://'"
        return self.looked_up(place.host, f"port {wanted.published} of {place.container}", command)

    def looked_up(self, host: str, what: str, command: str) -> str:
        """A token for what `command` prints on a host."""
        name = re.sub(r"\W+", "_", what)
        self.asked.append(Line(host, command, sets=name))
        return f"@{name}@"

    def process(self, place: Place) -> str:
        """The id of a container's process: a token."""
        asking = shlex.join(["docker", "inspect", "--format", "{{.State.Pid}}", place.container])
        return self.looked_up(place.host, f"process of {place.container}", asking)

    def typed(self, place: Place, argv: Sequence[str]) -> str:
        """The command as a person types it on the host, with variables for tokens."""
        return with_variables(place.typed(argv))

    def in_network(self, place: Place, argv: Sequence[str], *, names: bool, host_tool: bool = False) -> str:
        """The command as a person types it in the network of a place.

        With the container's own tool where it has it.

        `names` says whether it looks names up, `host_tool` that only the host's will do.
        """
        if not place.container or (self._has_busybox(place) and not host_tool):
            return self.typed(place, argv)
        process = self.process(place)
        return self.typed(Place(place.host), network.shown(process, argv, names=names))

    def nslookup(self, place: Place, name: str) -> str:
        """The command that asks the name servers of a place for a name."""
        return self.in_network(place, query("nslookup" if self._has_busybox(place) else "busybox", name), names=True)

    def _has_busybox(self, place: Place) -> bool:
        """Whether a container's image is one of the recipes, which all have busybox."""
        image = self.lab.inventory.images.get(self.play.containers[place.container].image) if place.container else None
        return image is not None and image.build is not None

    def taken(self) -> list[Line]:
        """The look-ups since the last time, each once."""
        lines, self.asked = list(dict.fromkeys(self.asked)), []
        return lines


def with_variables(text: str) -> str:
    """Tokens as the variables that they stand for; shlex leaves them as they are."""
    return re.sub(r"@(\w+)@", r'"$\1"', text)
