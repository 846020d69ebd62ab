"""The fault `duplicate_address`: a second host has the address of another."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from clusterlab.model.base import Issue
from clusterlab.model.faults import FaultParameters, Target

from . import card, nft
from .errors import NoEffect, Refused
from .kind import REFUSED, Before, FaultKind, OnHost, Seen
from .scene import Scene

_FOLDER = "/run/clusterlab/faults/FAULT_ID"
_ANNOUNCE = (
    # a gratuitous ARP request (RFC 5944, 4.6): hosts that know the address take the new card for it
    'my ($card, $mac, $address) = @ARGV; my $its = pack("H12", $mac =~ tr/://dr); my $ip = inet_aton($address);'
    " open(my $f, q(<), qq(/sys/class/net/$card/ifindex)) or die; my $index = <$f>;"
    ' socket(my $s, 17, SOCK_RAW, 0) or die $!; my $to = pack("SnlSCCa8", 17, 0x806, $index, 1, 0, 6, "\\xff" x 6);'
    ' my $arp = pack("a6a6nnnCCna6a4a6a4", "\\xff" x 6, $its, 0x806, 1, 0x800, 6, 4, 1, $its, $ip, "\\0" x 6, $ip);'
    " while (1) { send($s, $arp, 0, $to); select(undef, undef, undef, 0.5) }"
)


class DuplicateParameters(FaultParameters):
    """Whose address another host has, too."""

    of: Target = Field(description="the host whose address it is")
    at: Target = Field(description="the host that has it, too")

    def issues(self) -> Iterator[Issue]:
        if self.of == self.at:
            yield Issue(("at",), "a host has its own address already", "Name another host.")


class DuplicateAddress(FaultKind[DuplicateParameters]):
    """Gives a host the LAN address of another, too.

    A copied machine does that, or a mistake in a file.

    The others send now to the one, now to the other: connections are reset, and its node of the Swarm comes and goes.
    """

    name = "duplicate_address"
    model = DuplicateParameters
    named = True

    def names(self, params: DuplicateParameters) -> Iterator[Target]:
        yield from (params.of, params.at)

    def fixed(self, params: DuplicateParameters, scene: Scene) -> DuplicateParameters:
        return params.model_copy(update={"of": scene.one(params.of), "at": scene.one(params.at)})

    def lost(self, params: DuplicateParameters, scene: Scene) -> frozenset[str]:
        return frozenset({str(params.of)})

    def parts(self, params: DuplicateParameters, scene: Scene) -> list[OnHost]:
        of, at, address = str(params.of), str(params.at), scene.address(str(params.of))
        if at == of:
            raise NoEffect(f"{self.name}: {of} has its own address already")
        inject = f"""{card.find(scene.address(at))}
{card.require("perl", "perl")}
[ -z "$(ip -o addr show to {address})" ] || {{ echo "it has {address} already" >&2; exit {REFUSED}; }}
ip addr add {address}/32 dev "$lan" || exit 1
setsid sh -c 'echo $$ >{_FOLDER}/holder; exec perl -MSocket -e "$1" "$2" "$3" {address} clusterlab-FAULT_ID' \\
    sh '{_ANNOUNCE}' \\
    "$lan" "$(cat "/sys/class/net/$lan/address")" </dev/null >/dev/null 2>&1 &"""
        heal = f"""{card.find(scene.address(at))}
if [ -s {_FOLDER}/holder ]; then
    pid=$(cat {_FOLDER}/holder)
    ! grep -qs clusterlab-FAULT_ID "/proc/$pid/cmdline" || kill -s KILL "$pid"
fi
[ -z "$(ip -o addr show dev "$lan" to {address})" ] || ip addr del {address}/32 dev "$lan" """
        forget = {
            name: f"{card.find(scene.address(name))}\nip neigh flush to {address} dev $lan"
            for name in self._others(params, scene)
        }
        return [OnHost(at, inject, heal), *(OnHost(name, ":", script) for name, script in forget.items())]

    def before(self, params: DuplicateParameters, scene: Scene) -> Before:
        if not self._others(params, scene):
            raise NoEffect(f"{self.name}: there is no third host that could take one for the other")
        if scene.said(str(params.of), f"{nft.FIND_SSH}\nset -- $ssh; echo $3") == scene.address(str(params.of)):
            raise Refused(f"{self.name}: SSH reaches {params.of} at that address")
        macs = {
            key: scene.said(host, f'{card.find(scene.address(host))}\ncat "/sys/class/net/$lan/address"')
            for key, host in (("of", str(params.of)), ("at", str(params.at)))
        }
        return {**macs, "third": self._others(params, scene)[0]}

    def effect(self, params: DuplicateParameters, scene: Scene, before: Before) -> Seen:
        third, address = before["third"], scene.address(str(params.of))
        script = f"""{card.find(scene.address(third))}
for again in $(seq 30); do
    ping -n -q -c 1 -W 0.1 {address} >/dev/null
    ip neigh show to {address} dev "$lan" | grep -iq 'lladdr {before["at"]}' && echo wrong && break
done"""
        wrong = scene.said(third, script, timeout=20.0) == "wrong"
        return Seen(wrong, f"{third} takes {params.at if wrong else params.of} for {params.of}")

    def gone(self, params: DuplicateParameters, scene: Scene, before: Before) -> Seen:
        address = scene.address(str(params.of))
        for name in (*self._others(params, scene), str(params.at)):
            script = f"""{card.find(scene.address(name))}
ip neigh flush to {address} dev "$lan"
ping -n -q -c 1 -W 2 {address} >/dev/null
ip neigh show to {address} dev "$lan" """
            found = scene.said(name, script)
            if f"lladdr {before['of']}" not in found.lower():
                return Seen(False, f"{name} takes another card for that of {params.of}: {found}")
        return Seen(True, f"all send to the card of {params.of} again")

    def _others(self, params: DuplicateParameters, scene: Scene) -> list[str]:
        return [name for name in scene.lab.inventory.hosts if name not in (params.of, params.at)]


DUPLICATE_ADDRESS = DuplicateAddress()
