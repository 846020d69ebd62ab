"""The places of one play: what probes are given to carry themselves out."""

from __future__ import annotations

from clusterlab.errors import UsageError
from clusterlab.model.checks import Probe
from clusterlab.model.groups import GROUPS

from .lookups import Lookups
from .network import Networks
from .place import Place
from .tools import Tools


class Places(Tools, Lookups, Networks):
    """The places of one play, and how to ask there. Safe to use from several threads."""

    def of(self, probe: Probe) -> list[Place]:
        """Every place of a probe, in order.

        Raises UsageError for a name that is not a place, or when there is none.
        """
        hosts = self.lab.expand(probe.on)
        unknown = set(probe.on) - set(self.lab.inventory.hosts) - set(GROUPS)
        if unknown:
            raise UsageError(f"{', '.join(sorted(unknown))}: not a host or role of the inventory")
        places = [Place(host) for host in hosts] + [self.container(name) for name in probe.in_]
        if not places:
            raise UsageError(
                f"the probe runs nowhere: on: {probe.on}, in: {probe.in_}", remedy="name a host, a role or a container"
            )
        return places
