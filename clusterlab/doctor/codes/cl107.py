"""CL107: logs without a bound."""

from __future__ import annotations

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, Seen, Severity
from clusterlab.doctor.host_view import HostView, container_name
from clusterlab.doctor.sections import SIZES

_LARGE = 2**30


def _find(host: HostView, cluster: Cluster) -> Found:
    sizes = host.read(SIZES)
    if sizes.journal > _LARGE and not sizes.journal_bound:
        shown = f"{sizes.journal / _LARGE:.1f} GiB"
        yield CODE.finding(
            f"{host.name} journal",
            f"{host.name}: its journal has {shown}, and only the default bound: a tenth of the disk, at most 4 GiB",
            [Seen(host.name, "journalctl --disk-usage", "below 1 GiB, or SystemMaxUse set", shown)],
            [Fix(host.name, "journalctl --vacuum-size=1G; set SystemMaxUse=1G in /etc/systemd/journald.conf")],
            severity=Severity.ADVICE,
            hosts=[host.name],
        )
    names = {one.text("Id"): container_name(one) for one in host.containers()}
    for identity, size in sizes.container_logs.items():
        name = names.get(identity, identity[:12])
        yield CODE.finding(
            f"{host.name} {name}",
            f"{host.name}: the log of {name} has {size / _LARGE:.1f} GiB and no bound",
            [
                Seen(
                    host.name, f"ls -l {identity[:12]}-json.log", "below 1 GiB, or max-size", f"{size / _LARGE:.1f} GiB"
                )
            ],
            [
                Fix(
                    host.name, 'set "log-opts": {"max-size": "10m", "max-file": "3"} in daemon.json, restart the engine'
                ),
                Fix(host.name, f"recreate {name}: the setting counts for new containers"),
            ],
            hosts=[host.name],
        )


CODE = Diagnosis(
    code="CL107",
    title="A container's log grows without a bound",
    severity=Severity.WARNING,
    effect="json-file keeps everything until the disk is full.",
    detection="Logs of containers above 1 GiB without max-size; a journal above 1 GiB without SystemMaxUse is advice.",
    guard="Small logs.",
    remedy="Set max-size, or use the log driver `local`; set SystemMaxUse for the journal.",
    host=_find,
)
