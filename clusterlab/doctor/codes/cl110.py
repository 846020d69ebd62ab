"""CL110: packets are not forwarded."""

from __future__ import annotations

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, Seen, Severity
from clusterlab.doctor.host_view import HostView
from clusterlab.doctor.sections import SETTINGS

_FORWARD, _BRIDGE = "net.ipv4.ip_forward", "net.bridge.bridge-nf-call-iptables"


def _find(host: HostView, cluster: Cluster) -> Found:
    settings = host.read(SETTINGS)
    published = any(port.number("PublicPort", default=0) for one in host.running() for port in one.items("Ports"))
    if settings.get(_FORWARD) == 0:
        yield CODE.finding(
            host.name,
            f"{host.name} forwards no packets: {_FORWARD} is 0",
            [Seen(host.name, f"sysctl {_FORWARD}", "1", "0")],
            [
                Fix(host.name, f"sysctl -w {_FORWARD}=1"),
                Fix(
                    host.name, f"grep -r {_FORWARD} /etc/sysctl.conf /etc/sysctl.d shows which file sets it; correct it"
                ),
            ],
            severity=Severity.ERROR if published or host.active else Severity.WARNING,
            hosts=[host.name],
        )
    elif settings.get(_BRIDGE) == 0:
        yield CODE.finding(
            f"{host.name} bridge",
            f"{host.name}: {_BRIDGE} is 0: containers on one bridge are not filtered",
            [Seen(host.name, f"sysctl {_BRIDGE}", "1", "0")],
            [Fix(host.name, f"sysctl -w {_BRIDGE}=1")],
            severity=Severity.ADVICE,
            hosts=[host.name],
        )


CODE = Diagnosis(
    code="CL110",
    title="The host forwards no packets",
    severity=Severity.ERROR,
    effect="Containers reach nothing outside their host, and published ports time out. The engine sets it when it "
    "starts; a file in sysctl.d that is read later takes it back.",
    detection="The settings in /proc/sys. It is a warning where nothing is published and there is no Swarm.",
    remedy="Set it, and correct the file that sets it to 0.",
    references=("https://github.com/moby/moby/issues/47966",),
    host=_find,
)
