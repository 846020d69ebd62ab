"""What the test is about, which its statements follow from."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from .names import FLOOR, PAIR, WEB
from .own_exports import OwnExport, own_exports

if TYPE_CHECKING:  # a key press in a completing shell waits for the names of properties
    from clusterlab.model.inventory import Inventory

    from .survey import Export, Seen

Statement = dict[str, Any]
_SOON, _SOON_PER_NODE = 20, 2  # seconds that an overlay network that was just created, and names on it, may take


@dataclass(frozen=True)
class Subject:
    """What the test is about.

    The inventory, the nodes that are tested, and the first of the ports that it uses.
    """

    inventory: Inventory
    nodes: tuple[str, ...]
    port: int
    outside: str = ""
    floor: str = FLOOR
    seen: Seen | None = None
    """What the cluster uses; None as long as it has not been asked."""
    quick: bool = False

    @property
    def mark(self) -> str:
        """A few characters that no other cluster has, and that this one has in every test."""
        hosts = sorted(f"{name} {host.address}" for name, host in self.inventory.hosts.items())
        return sha256("\n".join([self.inventory.lab, *hosts]).encode()).hexdigest()[:8]

    @property
    def exports(self) -> list[OwnExport]:
        """Every export that the inventory names and a container can write to."""
        return [one for one in self._own_exports if not one.only_read]

    @property
    def only_read(self) -> list[OwnExport]:
        """Every other one that the inventory names."""
        return [one for one in self._own_exports if one.only_read]

    @property
    def _own_exports(self) -> list[OwnExport]:
        return list(own_exports(self.inventory, self.seen.directories if self.seen else {}))

    @property
    def foreign(self) -> list[Export]:
        """Exports that volumes of the cluster mount and the inventory does not name.

        Others' data, only read.
        """
        hosts = self.inventory.hosts
        servers = [text for name in self.inventory.with_role("nfs_server") for text in (name, str(hosts[name].address))]
        own = {(server, str(one.path)) for server in servers for one in self.inventory.nfs.exports}
        return [one for one in (self.seen.exports if self.seen else ()) if (one.server, one.path) not in own]

    @property
    def readable(self) -> list[Export]:
        """Every export that is mounted and read, and not written to; a quick test leaves out the inventory's."""
        return [*([] if self.quick else self.seen.only_read if self.seen else []), *self.foreign]

    def is_mounted(self, export: Export) -> bool:
        """Whether an export is mounted to be read: not where a node does not reach its server."""
        unreached = self.seen.unreached if self.seen else {}
        return not any(export.address in unreached.get(node, ()) for node in self.nodes)

    @property
    def machine(self) -> str:
        """What nodes must be for tasks of the test where not all nodes are the same; "" where they are."""
        kinds = set(self.seen.machines.values()) if self.seen else set()
        return platform.machine() if kinds - {platform.machine()} else ""

    @property
    def takers(self) -> list[str]:
        """The nodes that take tasks of the test: active ones on which its image runs."""
        active = self.seen.active if self.seen else self.nodes
        machines = self.seen.machines if self.seen else {}
        return [node for node in self.nodes if node in active and self.machine in ("", machines.get(node))]

    @property
    def pair(self) -> str:
        """The service with two tasks: that with a port, where a node remains without a task of it or none needs to."""
        return WEB if self.quick or len(self.nodes) > 2 else PAIR

    @property
    def managers(self) -> list[str]:
        return self.inventory.with_role("swarm_manager")

    @property
    def soon(self) -> str:
        """Within what time networks and names that were just created must work.

        Asking all pairs of a large cluster once may take longer than on a small one all that is needed.
        """
        return f"{max(_SOON, _SOON_PER_NODE * len(self.nodes))}s"
