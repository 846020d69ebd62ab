"""One host as it was seen: what its engine and the fact script answered, read on demand."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from .answers import Answers
from .document import Document
from .finding import NotSeen
from .sections import ADDRESSES, HEARD, MOUNTABLE, NAMESPACES, STUCK, UPTIME
from .sections.mounts import Stuck
from .sections.namespaces import Namespace
from .sections.probes import PROBES, Outcome, Probe
from .sections.section import Section

T = TypeVar("T")

_ADDR = re.compile(r"(?:^|,)addr=([^,]+)")


@dataclass(frozen=True)
class Volume:
    """A volume of one engine."""

    name: str
    driver: str
    options: Mapping[str, str]

    @property
    def is_nfs(self) -> bool:
        return self.options.get("type") in ("nfs", "nfs4")

    @property
    def server(self) -> str:
        """The address of its NFS server, or its name; "" when the options have none."""
        found = _ADDR.search(self.options.get("o", ""))
        return found[1].strip("\"'[]") if found else ""

    @property
    def directory(self) -> str:
        """What it mounts of its NFS server; "" when its device has another form."""
        path = self.options.get("device", "").partition(":")[2]
        return posixpath.normpath(path) if path.startswith("/") else ""

    @property
    def version(self) -> int:
        """The main version of NFS that it demands; 0 when client and server agree on one."""
        if self.options.get("type") == "nfs4":
            return 4
        found = next((one for one in self.words if one.startswith(("nfsvers=", "vers="))), "").partition("=")[2]
        return int(found[0]) if found[:1].isdigit() else 0

    @property
    def words(self) -> list[str]:
        """The mount options."""
        return [one for one in self.options.get("o", "").split(",") if one]

    def __str__(self) -> str:
        return " ".join(f"{key}={self.options[key]}" for key in sorted(self.options)) or "no options"


class HostView:
    """One host. What was not answered raises NotSeen where it is needed.

    `earlier` is how it was seen some seconds before, when it was: of what may pass by itself, only what both readings
    show counts.
    """

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.earlier: HostView | None = None
        self._read: dict[str, Any] = {}

    @property
    def name(self) -> str:
        return self.answers.host

    def read(self, section: Section[T]) -> T:
        """The facts of a section of the script."""
        if section.name not in self._read:
            self._read[section.name] = section.of(self.answers)
        found: T = self._read[section.name]
        return found

    def api(self, request: str) -> Document:
        """The engine's answer to a request."""
        answers = self.answers
        if request in answers.api:
            return Document(answers.api[request], self.name, f"/{request}")
        why = answers.unreachable or answers.engine_down or answers.refused.get(request)
        raise NotSeen(self.name, why or f"the engine was not queried for {request}")

    @property
    def info(self) -> Document:
        return self.api("info")

    @property
    def active(self) -> bool:
        """Whether its engine is an active node of a Swarm."""
        return self.info.text("Swarm", "LocalNodeState", default="") == "active"

    @property
    def node(self) -> str:
        return self.info.text("Swarm", "NodeID", default="")

    @property
    def image_store(self) -> str:
        """Which kind of store keeps its images."""
        return "containerd" if self.info.text("Driver") in ("overlayfs", "stargz", "native") else "graph drivers"

    @property
    def image_kind(self) -> tuple[str, str]:
        """Its store and its platform: IDs of images of another kind cannot be compared with its own."""
        return self.image_store, self.info.text("Architecture", default="")

    @property
    def address(self) -> str:
        """The address that it advertises in the Swarm."""
        return self.info.text("Swarm", "NodeAddr", default="")

    @property
    def manages(self) -> bool:
        return self.info.flag("Swarm", "ControlAvailable")

    def containers(self) -> list[Document]:
        return self.api("containers").items()

    def running(self) -> list[Document]:
        return [one for one in self.containers() if one.text("State") == "running"]

    @cached_property
    def volumes(self) -> dict[str, Volume]:
        found = self.api("volumes").items("Volumes")
        return {
            one.text("Name"): Volume(one.text("Name"), one.text("Driver", default=""), one.texts("Options"))
            for one in found
        }

    def networks(self) -> list[Document]:
        return self.api("networks").items()

    @property
    def mesh_address(self) -> str:
        """Where its ingress sandbox is on the ingress network; "" when it has none."""
        sandbox = self.api("ingress").mapping("Containers").get("ingress-sbox")
        return sandbox.text("IPv4Address", default="").partition("/")[0] if sandbox else ""

    @cached_property
    def gossip(self) -> frozenset[str]:
        """The addresses of the nodes that it lists as peers of the ingress network, in either reading."""
        listed = frozenset(one.text("IP", default="") for one in self.api("ingress").items("Peers"))
        return listed | self.earlier.gossip if self.earlier else listed

    def namespaces(self) -> dict[str, Namespace]:
        return self.read(NAMESPACES)

    def overlay(self, network: str) -> Namespace | None:
        """The namespace of an overlay network by its ID.

        None when this host has not set it up.
        """
        spaces = self.namespaces().values()
        return next((one for one in spaces if one.network and network.startswith(one.network)), None)

    def has_address(self, address: str) -> bool:
        return bool(self.devices_of(address))

    def devices_of(self, address: str) -> list[str]:
        """The interfaces that have an address."""
        return [card.name for card in self.read(ADDRESSES) if any(str(at.ip) == address for at in card.addresses)]

    def overlays(self) -> dict[str, str]:
        """Names of the overlay networks that it knows, by ID; the ingress network is none of them."""
        known = [one for one in self.networks() if one.text("Driver", default="") == "overlay"]
        return {one.text("Id"): one.text("Name") for one in known if not one.flag("Ingress")}

    def probed(self, probe: Probe) -> Outcome:
        """What came of a probe from this host: "open" when either reading found it so."""
        found = self.read(PROBES).get(str(probe))
        if found is None:
            raise NotSeen(self.name, f"the probe {probe} could not be carried out")
        if found != "open" and self.earlier and self.earlier.probed(probe) == "open":
            return "open"
        return found

    def stuck(self) -> list[Stuck]:
        """The processes that wait in the kernel; of two readings, those that did not run in between."""
        now = self.read(STUCK)
        before = self.earlier.read(STUCK) if self.earlier else now
        waiting = {(one.pid, one.switches) for one in before}
        return [one for one in now if (one.pid, one.switches) in waiting]

    @property
    def probing(self) -> bool:
        """Whether it was to send probes to the other nodes, and to mount volumes."""
        return HEARD.name in self.answers.parts

    def listened(self) -> tuple[float, float]:
        """When it listened for probes for certain, by the clock of this computer."""
        began, ended = self.answers.probing
        return self.read(HEARD).certain(began, ended, self.read(UPTIME))

    def mounted(self, volume: str) -> int | None:
        """The error number of mounting an NFS volume, 0 for success; None when it was not tried."""
        if not self.probing:
            return None
        found = self.read(MOUNTABLE).get(volume)
        if found is None:
            raise NotSeen(self.name, f"volume {volume} could not be mounted within 2 s, or was not tried")
        return found


def container_name(container: Document) -> str:
    """As `docker ps` shows it."""
    names = container.words("Names")
    return names[0].lstrip("/") if names else container.text("Id")[:12]
