"""The cluster as it was seen.

Hosts with what their engines and the fact script answered, read on demand.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any, TypeVar

from clusterlab.model.addresses import is_ipv4
from clusterlab.stacks import Stack

from .answers import Answers
from .document import Document
from .finding import NotSeen
from .host_view import HostView, Volume
from .node import Node, node_of
from .sections import ADDRESSES, HEARD
from .sections.heard import KINDS, Heard, Kind
from .sections.lookups import Lookup
from .sections.mountable import Try
from .sections.probes import Probe

T = TypeVar("T")

GOSSIP, CONTROL, DATA = 7946, 2377, 4789
NFS, PORTMAPPER = 2049, 111
_PLACE = re.compile(r"[A-Za-z0-9_.:-]+")


class Apart(NotSeen):
    """Two hosts may not have listened at the same time: what one did not hear of the other proves nothing."""

    def __init__(self, host: str, source: str) -> None:
        super().__init__(
            host,
            f"it did not listen long enough at the same time as {source}: what it did not hear of it proves nothing",
            "Run doctor again when these hosts are less busy.",
        )


@dataclass(frozen=True)
class Plan:
    """A stack that is to be deployed, and the cluster as it is without it."""

    stack: Stack
    now: Cluster


def once(function: Callable[[Cluster], T]) -> Callable[[Cluster], T]:
    """Answer a question about a whole cluster once, however many hosts it is asked for.

    What could not be seen is asked again.
    """

    @wraps(function)
    def answered(cluster: Cluster) -> T:
        if function not in cluster.known:
            cluster.known[function] = function(cluster)
        found: T = cluster.known[function]
        return found

    return answered


class Cluster:
    """All hosts that were asked, by name.

    With a `plan`, the answers are those that the hosts would give with a stack.
    """

    def __init__(self, answers: Mapping[str, Answers], plan: Plan | None = None) -> None:
        self.hosts = {name: HostView(one) for name, one in answers.items()}
        self.plan = plan
        self.known: dict[Callable[[Cluster], Any], Any] = {}  # see `once`

    def follow(self, earlier: Cluster) -> None:
        """Take another cluster for what this one was some seconds earlier."""
        for name, host in self.hosts.items():
            host.earlier = earlier.hosts.get(name)

    def engines(self) -> list[HostView]:
        """The hosts that should have an engine."""
        return [host for host in self.hosts.values() if host.answers.engine]

    @once
    def answering(self) -> list[HostView]:
        """Those whose engine answers."""
        return [host for host in self.engines() if "info" in host.answers.api]

    @once
    def members(self) -> list[HostView]:
        """Those whose engine is active in a Swarm."""
        return [host for host in self.answering() if host.active]

    @property
    def in_swarm(self) -> bool:
        """Whether any engine is, or was to be, in a Swarm."""
        states = {host.info.text("Swarm", "LocalNodeState", default="inactive") for host in self.answering()}
        return bool(states - {"inactive", ""})

    @cached_property
    def manager(self) -> HostView:
        """A manager that answered for the Swarm; raises NotSeen when there is none."""
        for host in self.answering():
            if "nodes" in host.answers.api:
                return host
        for host in self.answering():
            if why := host.answers.refused.get("nodes"):
                raise NotSeen("swarm", f"{host.name}: {why}")
        raise NotSeen("swarm", "no manager was queried", "Name a manager too: clusterlab doctor HOST MANAGER")

    @once
    def nodes(self) -> list[Node]:
        return [node_of(one) for one in self.manager.api("nodes").items()]

    @once
    def services(self) -> list[Document]:
        return self.manager.api("services").items()

    @once
    def tasks(self) -> list[Document]:
        return self.manager.api("tasks").items()

    @once
    def service_names(self) -> dict[str, str]:
        """Names by ID."""
        return {one.text("ID"): one.text("Spec", "Name") for one in self.services()}

    def host_of(self, node: str) -> HostView | None:
        """The host whose engine has this node ID, when it was asked."""
        return self._by_node().get(node) if node else None

    @once
    def _by_node(self) -> dict[str, HostView]:
        found: dict[str, HostView] = {}
        for host in self.answering():
            found.setdefault(host.node, host)
        return found

    def name_of(self, node: str) -> str:
        """How people call a node: its host's name, or the one that the managers know."""
        if host := self.host_of(node):
            return host.name
        return next((one.hostname for one in self.nodes() if one.id == node), node[:12])

    def peers(self, host: HostView) -> list[HostView]:
        """The other active hosts of the Swarm that were asked."""
        return [one for one in self.members() if one.name != host.name] if host.active else []

    def peer_probes(self, host: HostView) -> Iterator[Probe]:
        """What a node must reach of its peers."""
        for peer in self.peers(host):
            if peer.address:
                yield Probe("tcp", peer.address, GOSSIP)
                if peer.manages:
                    yield Probe("tcp", peer.address, CONTROL)
            if "ingress" in peer.answers.api and peer.mesh_address:
                yield Probe("mesh", peer.mesh_address)
                yield Probe("mesh-full", peer.mesh_address)

    def nfs_probes(self, host: HostView) -> Iterator[Probe]:
        """The NFS servers of a host's volumes."""
        for volume in host.volumes.values():
            if volume.is_nfs and _PLACE.fullmatch(volume.server):
                yield Probe("tcp", volume.server, NFS)
                if asks_portmapper(volume):
                    yield Probe("tcp", volume.server, PORTMAPPER)

    def heard(self, host: HostView, source: HostView, kind: Kind) -> Heard | None:
        """What of a node's probes arrived on a host; None when none were to be sent.

        Raises Apart when one did not arrive of a node that may not have sent any while the host listened.
        """
        if not host.probing:
            return None
        sending = source.read(HEARD)  # raises when it could not send any
        found = host.read(HEARD).levels.get((source.name, kind))
        if found is None:
            raise NotSeen(host.name, f"it was not to listen for probes of {source.name}")
        if found == "open":
            return found
        if (host.name, kind) in sending.unsent:
            return "unsent"
        windows = host.listened(), source.listened()
        together = min(end for _, end in windows) - max(begin for begin, _ in windows)
        if together < sending.needed:
            raise Apart(host.name, source.name)
        return found

    @property
    def apart(self) -> bool:
        """Whether a probe did not arrive between hosts that may not have listened at the same time."""
        for host in self.members():
            for source in self.peers(host):
                for kind in KINDS:
                    try:
                        self.heard(host, source, kind)
                    except Apart:
                        return True
                    except NotSeen:
                        break
        return False

    @property
    def data_port(self) -> int:
        """The UDP port of overlay traffic."""
        return int(self.manager.info.number("Swarm", "Cluster", "DataPathPort", default=0)) or DATA

    def tries(self, host: HostView) -> Iterator[Try]:
        """The NFS volumes of a host to mount: those whose server answers."""
        for volume in host.volumes.values():
            if not volume.is_nfs or not is_ipv4(volume.server):
                continue
            one = Try(volume.name, volume.options["type"], volume.options.get("device", ""), volume.options["o"])
            if one.plain and host.probed(Probe("tcp", volume.server, NFS)) == "open":
                yield one

    def lookups(self, host: HostView) -> Iterator[tuple[Lookup, str, str]]:
        """The names of services to ask for in one container per overlay, each with the network's ID and the service."""
        overlays = host.overlays()
        asking: dict[str, str] = {}
        for container in sorted(host.running(), key=lambda one: one.number("Created", default=0)):
            for at in container.mapping("NetworkSettings", "Networks").values():
                if (network := at.text("NetworkID", default="")) in overlays:
                    asking.setdefault(network, container.text("Id"))
        if not asking:
            return
        for network, service in self._served():
            if network in asking:
                yield Lookup(asking[network], f"tasks.{service}"), network, service

    @once
    def _served(self) -> list[tuple[str, str]]:
        """IDs of networks with the services that have running tasks on them."""
        names = self.service_names()
        found = {
            (attachment.text("Network", "ID", default=""), names.get(task.text("ServiceID", default=""), ""))
            for task in self.tasks()
            if task.text("Status", "State") == "running"
            for attachment in task.items("NetworksAttachments")
        }
        return sorted((network, service) for network, service in found if _PLACE.fullmatch(service))

    def at_address(self, address: str) -> HostView | None:
        """The host that has an address, by the inventory or by what it says itself.

        None also when several have it, as they have that of the loopback and of Docker's bridge.
        """
        if not address:
            return None
        named = next((host for host in self.hosts.values() if host.answers.address == address), None)
        found = [named] if named else self._by_address().get(address, [])
        return found[0] if len(found) == 1 else None

    @once
    def _by_address(self) -> dict[str, list[HostView]]:
        """The hosts by the addresses of their cards, as far as these were seen."""
        found: dict[str, list[HostView]] = defaultdict(list)
        for host in self.hosts.values():
            try:
                cards = host.read(ADDRESSES)
            except NotSeen:
                continue
            for address in {str(at.ip) for card in cards for at in card.addresses}:
                found[address].append(host)
        return found


def asks_portmapper(volume: Volume) -> bool:
    """Whether mounting it begins with the server's portmapper."""
    keys = {one.partition("=")[0] for one in volume.words}
    return volume.version == 3 and not {"port", "mountport"} <= keys
