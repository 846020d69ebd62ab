"""What the inventory says of the Swarm as a whole."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from .base import Duration, Issue, Model, Subnet

_SMALLEST = 29  # a subnet needs addresses for its gateway, a virtual one and a task
_HOUR = 3600.0


class Swarm(Model):
    """The Swarm of the hosts, and what clusterlab may do to a foreign one.

    That is a Swarm that it did not initialise.

    What is left out has Docker's default. A Swarm gets its pools, subnet size and data path port when it is
    initialised, and keeps them.
    """

    adopt: bool = Field(
        default=False,
        description="join hosts to a Swarm that clusterlab did not initialise, and give its nodes the roles, "
        "availabilities and labels of the inventory",
    )
    default_addr_pool: list[Subnet] = Field(
        default_factory=list,
        description="where networks of the Swarm get their subnets from (default: 10.0.0.0/8)",
        examples=[["10.64.0.0/16"]],
    )
    subnet_size: int | None = Field(
        default=None, ge=8, le=_SMALLEST, description="length of the prefix of each network's subnet (default: 24)"
    )
    data_path_port: int | None = Field(
        default=None, ge=1024, le=49151, description="UDP port of overlay traffic (default: 4789)"
    )
    cert_expiry: Duration | None = Field(
        default=None, ge=_HOUR, description="how long certificates of nodes last (default: 2160h)", examples=["720h"]
    )
    task_history: int | None = Field(
        default=None, ge=0, description="how many ended tasks are kept for each slot (default: 5)"
    )

    def issues(self) -> Iterator[Issue]:
        if self.subnet_size is not None and not self.default_addr_pool:
            remedy = "Add default_addr_pool, for example [10.64.0.0/16]."
            yield Issue(("subnet_size",), "subnet_size has no effect without default_addr_pool", remedy, key=True)
        size = 24 if self.subnet_size is None else self.subnet_size
        for index, pool in enumerate(self.default_addr_pool):
            if pool.prefixlen > size:
                remedy = f"Give it a prefix of {size} or less, or change subnet_size."
                yield Issue(("default_addr_pool", index), f"{pool} has no subnet of /{size}", remedy)
            for other in self.default_addr_pool[:index]:
                if pool.overlaps(other):
                    yield Issue(("default_addr_pool", index), f"{pool} overlaps {other}", "Leave one of them out.")
