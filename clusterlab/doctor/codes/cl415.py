"""CL415: several writers of one volume."""

from __future__ import annotations

import re

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, Seen, Severity

_IMAGES = re.compile(
    r"(^|/)(postgres|postgis|mysql|mariadb|percona|mongo|timescaledb|clickhouse-server|influxdb)(:|@|$)"
)


def _find(cluster: Cluster) -> Found:
    for service in cluster.services():
        spec = service.at("Spec", "TaskTemplate", "ContainerSpec")
        shared = [
            one.text("Source", default="")
            for one in spec.items("Mounts")
            if one.text("Type", default="") == "volume" and not one.flag("ReadOnly")
        ]
        shared = [one for one in shared if one and "{{" not in one]
        if not shared:
            continue
        name, image = service.text("Spec", "Name"), spec.text("Image", default="").partition("@")[0]
        replicas = int(service.number("Spec", "Mode", "Replicated", "Replicas", default=1))
        start_first = service.text("Spec", "UpdateConfig", "Order", default="") == "start-first"
        database = bool(_IMAGES.search(image))
        if replicas < 2 and not (start_first and database):
            continue
        why = f"{replicas} tasks" if replicas > 1 else "two tasks during an update (start-first)"
        yield CODE.finding(
            name,
            f"service {name}: {why} write volume {shared[0]}" + (", a database" if database else ""),
            [Seen(cluster.manager.name, f"docker service inspect {name}", "one writer", f"{image}, {why}, {shared}")],
            [Fix("", f"docker service update --replicas 1 --update-order stop-first {name}")],
            severity=Severity.ERROR if database else Severity.WARNING,
        )


CODE = Diagnosis(
    code="CL415",
    title="Several tasks write one volume",
    severity=Severity.ERROR,
    effect="A database is damaged or does not start; other programs overwrite each other's files.",
    detection="Services with two or more tasks that write a named volume; for databases also the update order "
    "start-first.",
    guard="Web content that all may write: mute it.",
    remedy="One task, and stop-first.",
    needs_swarm=True,
    cluster=_find,
)
