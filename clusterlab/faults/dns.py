"""The fault `dns`: a host gets no answers of DNS servers."""

from __future__ import annotations

from . import nft
from .errors import NoEffect
from .kind import Before, FaultKind, HostParameters, OnHost, Seen
from .scene import Scene

_ASK = r"""
file=/run/systemd/resolve/resolv.conf
[ -s $file ] || file=/etc/resolv.conf
for server in $(awk '$1 == "nameserver" { print $2 }' $file); do
    timeout 2 bash -c 'exec 3<>"/dev/udp/$0/53" || exit
        printf "\301\252\1\0\0\1\0\0\0\0\0\0\0\0\2\0\1" >&3
        [ "$(dd bs=512 count=1 status=none <&3 | wc -c)" -gt 12 ] && echo "$0"' "$server" &
done 2>/dev/null
wait
"""
"""Asks every DNS server of a host, not its cache, for the servers of the root, and prints those that answer."""


class Dns(FaultKind[HostParameters]):
    """Loses the answers of DNS servers to a host and its containers, on every card.

    Names outside are not resolved: images are not pulled, and what looks them up waits. Names of services and
    containers are the engine's own and hold.
    """

    name = "dns"
    model = HostParameters

    def parts(self, params: HostParameters, scene: Scene) -> list[OnHost]:
        rule = 'iifname != "lo" meta l4proto { tcp, udp } th sport @cut'
        return [OnHost(params.at, nft.drop("inet_service", ["53"], rule, params.lasts), nft.HEAL)]

    def before(self, params: HostParameters, scene: Scene) -> Before:
        servers = self._answering(params, scene)
        if not servers:
            raise NoEffect(f"{self.name}: no DNS server answers {params.at} already")
        return {"servers": " ".join(servers)}

    def effect(self, params: HostParameters, scene: Scene, before: Before) -> Seen:
        if servers := self._answering(params, scene):
            return Seen(False, f"{', '.join(servers)} still answers {params.at}")
        count = nft.dropped(scene, params.at, before["id"])
        if count <= 0:
            return Seen(
                False, f"{params.at} has dropped no answer" if count == 0 else f"{params.at} no longer drops packets"
            )
        return Seen(True, f"{params.at} dropped {count} answers, and {before['servers']} do not answer it")

    def gone(self, params: HostParameters, scene: Scene, before: Before) -> Seen:
        if nft.dropped(scene, params.at, before["id"]) >= 0:
            return Seen(False, f"{params.at} still drops packets")
        servers = self._answering(params, scene)
        lacking = [one for one in before["servers"].split() if one not in servers]
        return Seen(not lacking, f"{', '.join(lacking or servers)} {'does not answer' if lacking else 'answers'}")

    def _answering(self, params: HostParameters, scene: Scene) -> list[str]:
        """The DNS servers that answer the host."""
        return sorted(set(scene.said(params.at, _ASK).split()))


DNS = Dns()
