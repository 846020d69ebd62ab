"""The fault `conntrack_flush`: a host forgets the connections that it tracks."""

from __future__ import annotations

from shlex import quote

from . import card
from .cut import reached
from .kind import NOTHING, Before, FaultKind, HostParameters, OnHost, Seen
from .scene import Scene

_FOLDER = "/run/clusterlab/faults/FAULT_ID"
_COUNT = "cat /proc/sys/net/netfilter/nf_conntrack_count"
_FLUSH = (
    # a message of ctnetlink to delete, and no entry named: linux/netfilter/nfnetlink_conntrack.h
    'my ($s, $answer); my $delete = pack("LSSLLCCn", 20, 0x102, 5, 1, 0, 0, 0, 0);'
    " socket($s, 16, SOCK_RAW, 12) && defined send($s, $delete, 0)"
    ' && defined recv($s, $answer, 4096, 0) or die "$!\\n";'
    ' my $error = unpack("x16 l", $answer); if ($error) { $! = -$error; die "$!\\n" }'
)
_FLUSHED = f"""
{_COUNT}
perl -MSocket -e '{_FLUSH}' || exit 1
{_COUNT}"""


class ConntrackFlush(FaultKind[HostParameters]):
    """Makes a host forget all connections that it tracks; there is nothing to heal.

    A restarted firewall does that.

    Connections through published ports and masqueraded ones break once; new ones are tracked again at once.
    """

    name = "conntrack_flush"
    model = HostParameters

    def parts(self, params: HostParameters, scene: Scene) -> list[OnHost]:
        inject = f"""{card.require("perl", "perl")}
[ "$({_COUNT} 2>/dev/null)" -gt 0 ] || {{ echo "it tracks no connection" >&2; exit {NOTHING}; }}
flush={quote(_FLUSHED)}
said=$(sh -c "$flush" 2>&1) || {{ echo "$said" >&2; exit 1; }}
echo $said >{_FOLDER}/flushed
if [ -e /run/docker/netns/ingress_sbox ]; then
    nsenter --net=/run/docker/netns/ingress_sbox sh -c "$flush" >/dev/null || exit 1
fi"""
        return [OnHost(params.at, inject, ":")]

    def effect(self, params: HostParameters, scene: Scene, before: Before) -> Seen:
        counts = scene.said(params.at, f"cat {_FOLDER.replace('FAULT_ID', before['id'])}/flushed")
        then, now = map(int, counts.split())
        return Seen(now < then, f"{params.at} tracked {then} connections, and {now} after it")

    def gone(self, params: HostParameters, scene: Scene, before: Before) -> Seen:
        others = [name for name in scene.lab.inventory.hosts if name != params.at]
        pairs = [pair for other in others for pair in ((params.at, other), (other, params.at))]
        for (sender, receiver), count in reached(scene, pairs).items():
            if not count:
                return Seen(False, f"{receiver} does not answer {sender}")
        return Seen(True, f"{params.at} and all others reach each other")


CONNTRACK_FLUSH = ConntrackFlush()
