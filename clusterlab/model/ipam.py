"""Address ranges of a network."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from pydantic import Field

from .base import Issue, Model


class IpamConfig(Model):
    """One address range of a network."""

    subnet: str | None = Field(default=None, examples=["10.10.0.0/24"])
    ip_range: str | None = None
    gateway: str | None = None
    aux_addresses: dict[str, str] = Field(default_factory=dict)

    def issues(self) -> Iterator[Issue]:
        for key in self.given("subnet", "ip_range"):
            yield from _network_faults(key, getattr(self, key))
        if self.subnet is None:
            for key in self.given("ip_range", "gateway", "aux_addresses"):
                yield Issue((key,), f"'{key}' needs a 'subnet' that it is in")
        elif subnet := network_of(self.subnet):
            yield from self._outside(subnet)

    def _outside(self, subnet: IPv4Network | IPv6Network) -> Iterator[Issue]:
        if self.gateway is not None:
            yield from _address_faults(("gateway",), self.gateway, subnet)
        for name, address in self.aux_addresses.items():
            yield from _address_faults(("aux_addresses", name), address, subnet)
        inner = network_of(self.ip_range or "")
        if inner and not (inner.network_address in subnet and inner.broadcast_address in subnet):
            yield Issue(("ip_range",), f"'{inner}' is not within the subnet {subnet}")


class Ipam(Model):
    """How a network's addresses are given out."""

    driver: str = "default"
    config: list[IpamConfig] = Field(default_factory=list)
    options: dict[str, str] = Field(default_factory=dict)


def network_of(text: str) -> IPv4Network | IPv6Network | None:
    """The network that a text says, or None when it says none."""
    try:
        return ip_network(text)
    except ValueError:
        return None


def _network_faults(key: str, text: str) -> Iterator[Issue]:
    try:
        ip_network(text)
    except ValueError as error:
        meant = ip_network(text, strict=False) if "host bits" in str(error) else "it like 10.10.0.0/24"
        yield Issue((key,), f"'{text}' is not a network", f"Write {meant}.")


def _address_faults(at: tuple[str, ...], text: str, subnet: IPv4Network | IPv6Network) -> Iterator[Issue]:
    try:
        if ip_address(text) not in subnet:
            yield Issue(at, f"'{text}' is not within the subnet {subnet}")
    except ValueError:
        yield Issue(at, f"'{text}' is not an IP address")
