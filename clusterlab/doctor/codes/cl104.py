"""CL104: clocks that differ."""

from __future__ import annotations

from statistics import median_low

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found, answers
from clusterlab.doctor.finding import Fix, Seen, Severity
from clusterlab.doctor.host_view import HostView
from clusterlab.doctor.sections import CLOCK

_WARNING, _ERROR = 2.0, 300.0
"""Seconds: the certificates of new nodes are backdated by an hour, tokens and TLS allow for less."""


def _find(cluster: Cluster) -> Found:
    clocks, missing = answers(cluster.hosts.values(), _interval)
    yield from missing
    if len(clocks) < 2:
        return
    # Each host's offset from this computer lies in an interval, as wide as asking took. Most hosts agree.
    middle = median_low(sorted(low for low, _ in clocks.values()))
    reference = next(one for one in clocks.values() if one[0] == middle)
    for name, (low, high) in clocks.items():
        apart = max(low - reference[1], reference[0] - high, 0.0)
        if apart > _WARNING:
            ahead = "ahead of" if low > reference[1] else "behind"
            yield CODE.finding(
                name,
                f"{name}: its clock is {apart:.0f} s {ahead} those of the others",
                [Seen(name, "date +%s", f"at most {_WARNING:g} s apart", f"at least {apart:.1f} s apart")],
                [Fix(name, "timedatectl set-ntp true")],
                severity=Severity.ERROR if apart > _ERROR else Severity.WARNING,
                hosts=[name],
                consequences=("CL206", "CL218"),
            )


def _interval(host: HostView) -> tuple[float, float]:
    """Between which seconds a host's clock is ahead of this computer's."""
    clock = host.read(CLOCK)
    return clock - host.answers.asked_at - host.answers.round_trip, clock - host.answers.asked_at


CODE = Diagnosis(
    code="CL104",
    title="The clocks of hosts differ",
    severity=Severity.ERROR,
    effect="Certificates are not yet, or no longer, valid on some nodes; logs cannot be compared; files on NFS seem "
    "to come from the future. Nothing fails at once, so nobody notices.",
    detection="The time of every host against the time of asking, of which the time that asking took is subtracted.",
    guard="Differences below 2 s, or within the time that asking took.",
    remedy="Let the hosts set their clocks: chrony, or systemd-timesyncd.",
    root=2,
    cluster=_find,
)
