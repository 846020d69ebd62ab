"""What the address, port or URL of a target is at this moment."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import docker
import docker.errors

from clusterlab.model.checks import Address, PublishedPort, Target

from .asking import Asking
from .place import Place, WrongAnswer


class Lookups(Asking):
    """Targets of probes as they are now."""

    def address(self, wanted: Address) -> str:
        """The address that a container or service has on a network now.

        Whatever the network's driver is.
        """
        if wanted.service is not None:
            return self._virtual_address(wanted.service, wanted.network)
        place = self.container(str(wanted.container))
        networks = self.inspect(place)["NetworkSettings"]["Networks"]
        if wanted.network not in networks:
            raise WrongAnswer(
                f"{place} is not on network {wanted.network}, but on {', '.join(sorted(networks)) or 'none'}",
                remedy="`clusterlab plan` shows how it differs from the play",
            )
        address = str(networks[wanted.network].get("IPAddress") or "")
        if not address:
            raise WrongAnswer(f"{place} has no address on network {wanted.network}")
        return address

    def _virtual_address(self, service: str, network: str) -> str:
        def ask(engine: docker.APIClient) -> tuple[Any, Any]:
            try:
                report = engine.inspect_service(service)  # type: ignore[no-untyped-call]
                return report, engine.inspect_network(network)["Id"]
            except docker.errors.NotFound as error:
                raise WrongAnswer(
                    f"there is no service {service} on a network {network}",
                    remedy=self.remedy("service", service),
                ) from error

        report, network_id = self.of_swarm(ask)
        for one in report["Endpoint"].get("VirtualIPs") or []:
            if one["NetworkID"] == network_id and one.get("Addr"):
                return str(one["Addr"]).partition("/")[0]
        raise WrongAnswer(f"service {service} has no virtual address on network {network}")

    def port(self, wanted: int | PublishedPort) -> int:
        """A port as given, or the host's port by which a container's port is published."""
        if isinstance(wanted, int):
            return wanted
        place = self.container(wanted.container)
        published = self.inspect(place)["NetworkSettings"]["Ports"].get(f"{wanted.published}/tcp") or []
        if not published:
            raise WrongAnswer(
                f"port {wanted.published} of {place} is not published",
                command=f"docker port {wanted.container}",
                remedy="`clusterlab plan` shows how it differs from the play",
            )
        return int(published[0]["HostPort"])

    def target(self, place: Place, target: Target) -> str:
        """What to write for a target at a place.

        The LAN address of a host, an address that is looked up, or itself.

        A container's name goes before a host's inside containers, where Docker's DNS knows it.
        """
        if isinstance(target, Address):
            return self.address(target)
        if target in self.lab.inventory.hosts and not (place.container and self.play.host_of(target)):
            return str(self.lab.inventory.hosts[target].address)
        return target

    def url(self, place: Place, url: str) -> str:
        """A URL whose host is written as `target` would write it."""
        name = urlsplit(url).hostname or ""
        return with_host(url, self.target(place, name)) if name in self.lab.inventory.hosts else url


def with_host(url: str, host: str) -> str:
    """A URL with another host, and all else as it is."""
    parts = urlsplit(url)
    user, at, _ = parts.netloc.rpartition("@")
    port = f":{parts.port}" if parts.port is not None else ""
    return parts._replace(netloc=f"{user}{at}{host}{port}").geturl()
