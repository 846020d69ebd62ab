"""CL108: live-restore in a Swarm."""

from __future__ import annotations

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, Seen, Severity
from clusterlab.doctor.host_view import HostView
from clusterlab.doctor.sections import DAEMON

_FILE = "/etc/docker/daemon.json"


def _find(host: HostView, cluster: Cluster) -> Found:
    if not host.active:
        return
    running = host.info.flag("LiveRestoreEnabled")
    configured = host.read(DAEMON).get("live-restore") is True
    if running or configured:
        where = "the running engine" if running else _FILE
        yield CODE.finding(
            host.name,
            f"{host.name}: live-restore is set in a Swarm: its engine will not start again",
            [
                Seen(host.name, "docker info", "LiveRestoreEnabled: false", f"LiveRestoreEnabled: {running}".lower()),
                Seen(host.name, f"cat {_FILE}", "no live-restore", f"live-restore in {where}"),
            ],
            [Fix(host.name, f"remove live-restore from {_FILE}, then: systemctl reload docker")],
            hosts=[host.name],
        )


CODE = Diagnosis(
    code="CL108",
    title="live-restore is set on a node of a Swarm",
    severity=Severity.ERROR,
    effect="The engine accepts the setting with a reload, and refuses to start with it while the node is in a "
    "Swarm: the "
    "node is lost at its next restart.",
    detection="`LiveRestoreEnabled` of /info, and `live-restore` in daemon.json, while the Swarm is active.",
    guard="Without a Swarm, live-restore is fine.",
    remedy="Remove the setting and reload the engine.",
    needs_swarm=True,
    host=_find,
)
