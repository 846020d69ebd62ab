"""dns: does a name resolve, and to which addresses."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from clusterlab.model.matcher import Matcher
from clusterlab.model.probes import Address, NegatableProbe, Target, only

from ..manual.absence import unknown
from ..manual.lan import NAMES
from ..manual.shell_matchers import as_wanted
from ..manual.where import Where, with_variables
from ..matcher import describe, match
from ..place import Place
from ..places import Places
from ..reach import ReachKind, Shown, Verdict
from ..reached import Reach
from ..resolve import look_up, query

_FIRST = "{ print $1 }"  # of what getent prints
_HINT = (
    "Docker's DNS knows a container's name only on a network that both share, and never on the default bridge; "
    "hosts know no container names"
)


class DnsProbe(NegatableProbe):
    """Look a name up."""

    verdict: ClassVar[str] = "resolves"
    target: ClassVar[tuple[str, ...]] = ("name",)
    only_positive: ClassVar[tuple[str, ...]] = ("addresses", "is_")

    name: str | list[str]
    resolves: bool = True
    addresses: Matcher | None = Field(default=None, description="about the list of addresses, sorted")
    is_: Address | None = Field(
        default=None, alias="is", description="must be exactly this address of a container or service"
    )


class Dns(ReachKind[DnsProbe]):
    """The name must resolve (or not), to the addresses that are expected."""

    name = "dns"
    model = DnsProbe
    tools = ("getent", "nslookup", "busybox")
    hint = _HINT

    def summary(self, probe: DnsProbe) -> str:
        return f"{probe.name} resolves"

    def target(self, probe: DnsProbe) -> Target:
        return only(probe.name)

    def reach(self, probe: DnsProbe, place: Place, places: Places, kept: bool) -> Reach:
        return look_up(only(probe.name), place, places)

    def judge(self, probe: DnsProbe, met: Reach, places: Places) -> Verdict:
        wanted, problems = [], []
        if probe.addresses is not None:
            compared = match(probe.addresses, list(met.addresses))
            wanted.append(compared.wanted)
            problems += [] if compared.holds else [compared.found]
        if probe.is_ is not None:
            address = places.address(probe.is_)
            wanted.append(f"is {address} ({probe.is_})")
            problems += [] if list(met.addresses) == [address] else [f"is not {address}"]
        expected = f"{probe.name}: {', '.join(wanted)}" if wanted else self.summary(probe)
        return Verdict(met.reached and not problems, ": ".join([met.found, *problems]), expected, _HINT)

    def shown(self, probe: DnsProbe, place: Place, where: Where, kept: bool) -> Shown:
        if probe.negative:  # a name server must say so
            command = where.nslookup(place, only(probe.name))
            return Shown(command, self.summary(probe), unknown(place, only(probe.name), where))
        if place.container:
            command, addresses = where.nslookup(place, only(probe.name)), NAMES
        else:
            command, addresses = where.typed(place, query("getent", only(probe.name))), _FIRST
        seen = f"found=$({command} | awk '{addresses}' | sort -u)"
        wanted, proof = [self.summary(probe)], f'{seen}; [ -n "$found" ]'
        if probe.addresses is not None:
            wanted.append(f"to addresses of which the list {describe(probe.addresses)}")
            proof += f" && {as_wanted(probe.addresses, items=True)}"
        if probe.is_ is not None:
            wanted.append(f"to the address of {probe.is_}")
            proof += f' && [ "$found" = {with_variables(where.address(probe.is_))} ]'
        return Shown(command, " ".join(wanted), proof)


KIND = Dns()
